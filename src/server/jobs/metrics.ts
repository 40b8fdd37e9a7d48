import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { isFinished, JOB_STATES, PRIORITIES } from '../../jobs/job.js';
import type { JobCounting, JobCounts, JobEvents } from '../../jobs/queue.js';

/** What metrics read of a queue. */
export type CountedQueue = JobCounting & Pick<JobEvents, 'subscribe'>;

/** Bounds of waiting and running in seconds: a thumbnail takes hundredths, a night's backlog hours. */
const BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200];

/** Metrics of a queue: how it stands, asked when Prometheus asks, and how long jobs took, told when they end. */
export function jobMetrics(queue: CountedQueue, registers: Registry[]): void {
  depth(queue, registers);
  gauges(queue, registers);
  totals(queue, registers);
  times(queue, registers);
}

function depth(queue: CountedQueue, registers: Registry[]): void {
  new Gauge({
    name: 'imgtool_jobs',
    help: 'Jobs on record',
    labelNames: ['state', 'priority'] as const,
    registers,
    collect() {
      return counted(queue, (counts) => {
        for (const state of JOB_STATES)
          for (const priority of PRIORITIES) this.set({ state, priority }, counts.depth[state][priority]);
      });
    },
  });
}

function gauges(queue: CountedQueue, registers: Registry[]): void {
  const figures: readonly [string, string, (counts: JobCounts) => number][] = [
    [
      'imgtool_jobs_oldest_seconds',
      'How long the job that waits longest could have run',
      ({ oldest = 0 }) => Math.max(0, oldest) / 1000,
    ],
    ['imgtool_jobs_blob_bytes', 'Bytes of the inputs and results of all jobs', ({ blobBytes }) => blobBytes],
  ];
  for (const [name, help, value] of figures)
    new Gauge({
      name,
      help,
      registers,
      collect() {
        return counted(queue, (counts) => this.set(value(counts)));
      },
    });
}

function totals(queue: CountedQueue, registers: Registry[]): void {
  const figures: readonly [string, string, (counts: JobCounts) => number][] = [
    ['imgtool_jobs_accepted_total', 'Jobs taken into the queue', ({ submitted }) => submitted],
    ['imgtool_jobs_finished_total', 'Jobs that came to their end', ({ finished }) => finished],
    ['imgtool_jobs_retries_total', 'Tries after one that failed', ({ retries }) => retries],
    ['imgtool_jobs_lost_total', 'Tries that a crash or a stall ended', ({ lost }) => lost],
    ['imgtool_jobs_expired_total', 'Jobs removed with their results', ({ expired }) => expired],
  ];
  for (const [name, help, value] of figures)
    new Counter({
      name,
      help,
      registers,
      collect() {
        return counted(queue, (counts) => {
          // the queue counts, from the same start: what is shown is its number
          this.reset();
          this.inc(value(counts));
        });
      },
    });
}

/** A queue that closes has no figures any more; the last ones stay. */
async function counted(queue: CountedQueue, show: (counts: JobCounts) => void): Promise<void> {
  const counts = await queue.counts().catch(() => undefined);
  if (counts !== undefined) show(counts);
}

function times(queue: CountedQueue, registers: Registry[]): void {
  const waited = new Histogram({
    name: 'imgtool_job_wait_seconds',
    help: 'Time from when a job could run to its last start',
    labelNames: ['priority'] as const,
    buckets: BUCKETS,
    registers,
  });
  const ran = new Histogram({
    name: 'imgtool_job_run_seconds',
    help: 'Time from the last start of a job to its end',
    labelNames: ['kind', 'state'] as const,
    buckets: BUCKETS,
    registers,
  });
  queue.subscribe(({ job }) => {
    const { priority, state, work, readyAt, startedAt, finishedAt } = job;
    if (!isFinished(job) || startedAt === undefined || finishedAt === undefined) return;
    waited.observe({ priority }, secondsBetween(readyAt, startedAt));
    ran.observe({ kind: work.kind, state }, secondsBetween(startedAt, finishedAt));
  });
}

/** A clock may have been set back in between. */
function secondsBetween(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}
