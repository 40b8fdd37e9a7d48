import * as z from 'zod';
import { JOB_STATES, PRIORITIES } from '../../jobs/job.js';
import type { JobCounts } from '../../jobs/queue.js';
import type { ServiceState } from '../service.js';

const whole = z.int().min(0);
const pids = z.array(whole).readonly();

/** How a server's queue stands; the OpenAPI description is derived from this. */
export const statsSchema = z
  .object({
    depth: z
      .record(z.enum(JOB_STATES), z.record(z.enum(PRIORITIES), whole).readonly())
      .readonly()
      .describe('jobs by state and priority'),
    oldest_ms: z.number().min(0).optional().describe('how long the job that waits longest has been ready'),
    blob_bytes: whole.describe('bytes of all inputs and results'),
    submitted: whole.describe('since the server started, as the four that follow'),
    finished: whole,
    retries: whole,
    lost: whole.describe('times that a job was taken from a worker that was gone'),
    expired: whole,
    workers: z.object({ idle: pids, busy: pids }).readonly().describe('decoder processes'),
    waiting: whole.describe('pictures, of jobs or requests, that wait for a decoder'),
    running: whole.describe('pictures that a decoder is at'),
    draining: z.boolean(),
  })
  .readonly();

/** Figures of a queue and its server as JSON. */
export type StatsJson = z.output<typeof statsSchema>;

/** How a queue and its server stand. */
export function statsJson(counts: JobCounts, service: ServiceState): StatsJson {
  const { depth, oldest, blobBytes, submitted, finished, retries, lost, expired } = counts;
  const { workersIdle, workersBusy, waiting, running, draining } = service;
  return {
    depth,
    ...(oldest !== undefined && { oldest_ms: Math.max(0, oldest) }),
    blob_bytes: blobBytes,
    submitted,
    finished,
    retries,
    lost,
    expired,
    workers: { idle: workersIdle, busy: workersBusy },
    waiting,
    running,
    draining,
  };
}
