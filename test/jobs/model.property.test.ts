import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImgtoolError } from '../../src/errors.js';
import { type EmbeddedQueue, openEmbedded } from '../../src/jobs/embedded.js';
import { type JobId, type JobStatus, PRIORITIES, type Priority } from '../../src/jobs/job.js';
import { Hands, type Held, jobOf } from './hands.js';
import { TurnedClock, turns } from './turned-clock.js';

/** What a simple queue in memory knows of a job. */
interface Modelled {
  state: JobStatus;
  readonly level: number;
  readonly key: string | undefined;
  readonly arrived: number;
  readyAt: number;
  attempts: number;
  cancelled: boolean;
  held: Held | undefined;
}

/** The queue under test beside a simple one, which says what the other has to be like. */
class Both {
  readonly jobs = new Map<JobId, Modelled>();
  readonly clock = new TurnedClock();
  #hands = new Hands();
  readonly folder: string;
  queue: EmbeddedQueue;

  private constructor(folder: string, queue: EmbeddedQueue, clock: TurnedClock) {
    this.folder = folder;
    this.queue = queue;
    this.clock = clock;
    void queue.work(this.#hands.handle, HANDS);
  }

  static async open(): Promise<Both> {
    const [folder, clock] = [await mkdtemp(join(tmpdir(), 'imgtool-model-')), new TurnedClock()];
    return new Both(folder, await openEmbedded({ folder, clock, grace: 0, random: () => 0.5 }), clock);
  }

  async close(): Promise<void> {
    await this.queue.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Another process takes over: what runs goes back to the queue, or ends if it was being cancelled. */
  async reopen(): Promise<void> {
    await this.queue.close();
    for (const job of this.running()) {
      job.state = job.cancelled ? 'cancelled' : 'queued';
      if (!job.cancelled) job.attempts--;
      job.held = undefined;
    }
    this.#hands = new Hands();
    const { folder, clock } = this;
    this.queue = await openEmbedded({ folder, clock, grace: 0, random: () => 0.5 });
    void this.queue.work(this.#hands.handle, HANDS);
  }

  running(): Modelled[] {
    return [...this.jobs.values()].filter(({ state }) => state === 'running');
  }

  ready(at = this.clock.now()): Modelled[] {
    return [...this.jobs.values()].filter((job) => job.state === 'queued' && job.readyAt <= at);
  }

  /** Lets both settle, then compares them. */
  async compare(): Promise<void> {
    await turns();
    while (this.#hands.waiting > 0) await this.#start(await this.#hands.next());
    expect(this.running().length).toBe(Math.min(HANDS, this.running().length + this.ready().length));
    const depth = (await this.queue.counts()).depth;
    for (const [id, { state, attempts, level }] of this.jobs) {
      expect(await this.queue.get(id)).toMatchObject({ state, attempts, priority: PRIORITIES[level] });
    }
    for (const state of ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const) {
      const jobs = Object.values(depth[state]).reduce((sum, count) => sum + count, 0);
      expect(jobs).toBe([...this.jobs.values()].filter((job) => job.state === state).length);
    }
  }

  /** A claim is right if nothing more urgent, or as urgent and earlier, was ready; or if it had aged. */
  async #start(held: Held): Promise<void> {
    const job = this.jobs.get(held.job.id);
    if (job === undefined) throw new Error(`started ${held.job.id}, which nobody submitted`);
    expect(job.state).toBe('queued');
    // judged by the moment of the claim: more may have come ready since, while time went by
    const claimed = (await this.queue.get(held.job.id))?.startedAt ?? Number.NaN;
    const aged = claimed - job.readyAt >= 30_000;
    const before = this.ready(claimed).filter((other) => precedes(other, job));
    if (!aged) expect(before).toEqual([]);
    job.state = 'running';
    job.attempts++;
    job.held = held;
    expect(held.job.attempt).toBe(job.attempts);
  }
}

const HANDS = 2;
const ATTEMPTS = 3;

function precedes(a: Modelled, b: Modelled): boolean {
  if (a.level !== b.level) return a.level < b.level;
  return a.readyAt < b.readyAt || (a.readyAt === b.readyAt && a.arrived < b.arrived);
}

type Action =
  | {
      readonly do: 'submit';
      readonly priority: Priority;
      readonly key: string | undefined;
      readonly delay: number;
    }
  | { readonly do: 'done' | 'pass' | 'fail' | 'cancel' | 'retry'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'reopen' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      priority: fc.constantFrom(...PRIORITIES),
      key: fc.constantFrom(undefined, undefined, 'a', 'b'),
      delay: fc.constantFrom(0, 0, 0, 1500),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'done' as const,
        'pass' as const,
        'fail' as const,
        'cancel' as const,
        'retry' as const,
      ),
      which: fc.nat(20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4000 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

async function act(both: Both, step: Action): Promise<void> {
  if (step.do === 'submit') return submit(both, step);
  if (step.do === 'wait') return both.clock.pass(step.ms);
  if (step.do === 'reopen') return both.reopen();
  if (step.do === 'cancel' || step.do === 'retry') return ask(both, step.do, step.which);
  const running = both.running();
  const job = running[step.which % Math.max(1, running.length)];
  if (job !== undefined) end(both, job, step.do);
}

async function submit(both: Both, { priority, key, delay }: Action & { do: 'submit' }): Promise<void> {
  const id = await both.queue.submit(
    jobOf({ priority, delay, attempts: ATTEMPTS, ...(key !== undefined && { key }) }),
  );
  const twin = [...both.jobs].find(([, job]) => key !== undefined && job.key === key && isAlive(job))?.[0];
  expect(id === twin || !both.jobs.has(id)).toBe(true);
  if (twin !== undefined) expect(id).toBe(twin);
  else {
    const [level, readyAt] = [PRIORITIES.indexOf(priority), both.clock.now() + delay];
    const arrived = both.jobs.size;
    both.jobs.set(id, {
      state: 'queued',
      level,
      key,
      arrived,
      readyAt,
      attempts: 0,
      cancelled: false,
      held: undefined,
    });
  }
}

async function ask(both: Both, what: 'cancel' | 'retry', which: number): Promise<void> {
  const [id, job] = [...both.jobs][which % Math.max(1, both.jobs.size)] ?? [];
  if (id === undefined || job === undefined) return;
  if (what === 'cancel') {
    expect(await both.queue.cancel(id)).toBe(isAlive(job));
    if (job.state === 'queued') job.state = 'cancelled';
    else if (job.state === 'running') job.cancelled = true;
    return;
  }
  const taken = [...both.jobs.values()].some(
    (other) => job.key !== undefined && other.key === job.key && isAlive(other),
  );
  const again = !taken && (job.state === 'failed' || job.state === 'cancelled');
  expect(await both.queue.retry(id)).toBe(again);
  if (again)
    Object.assign(job, { state: 'queued', readyAt: both.clock.now(), attempts: 0, cancelled: false });
}

function end(both: Both, job: Modelled, how: 'done' | 'pass' | 'fail'): void {
  if (how === 'done') job.held?.done();
  else job.held?.fail(new ImgtoolError(how === 'pass' ? 'E_TIMEOUT' : 'E_DECODE', 'expected better'));
  job.held = undefined;
  const again = how === 'pass' && job.attempts < ATTEMPTS;
  if (job.cancelled) job.state = 'cancelled';
  else if (how === 'done') job.state = 'succeeded';
  else job.state = again ? 'queued' : 'failed';
  if (job.state === 'queued') job.readyAt = both.clock.now() + 500 * 2 ** (job.attempts - 1);
}

function isAlive({ state }: Modelled): boolean {
  return state === 'queued' || state === 'running';
}

test('a queue does what a simple one in memory would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (steps) => {
      const both = await Both.open();
      try {
        for (const step of steps) {
          await act(both, step);
          await both.compare();
        }
        expect(await both.queue.check()).toEqual([]);
      } finally {
        await both.close();
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
