import type { ImgtoolError } from '../../src/errors.js';
import type { Job, JobResult } from '../../src/jobs/job.js';
import type { ClaimedJob, Handler, HandlerContext } from '../../src/jobs/queue.js';

/** A job as small as can be. */
export function jobOf(over: Partial<Job> = {}): Job {
  return {
    kind: 'process',
    recipe: { steps: [{ op: 'thumb', size: 100 }] },
    source: { kind: 'path', path: 'in.jpg' },
    target: { kind: 'path', path: 'out.jpg' },
    ...over,
  };
}

/** A result without pictures. */
export const EMPTY: JobResult = { outputs: [] };

/** A job that a test holds, and may end as it likes. */
export interface Held extends HandlerContext {
  readonly job: ClaimedJob;
  done(result?: JobResult): void;
  fail(error: ImgtoolError | Error): void;
}

/** A handler in a test's hands: each job waits there until the test ends it. */
export class Hands {
  readonly #arrived: Held[] = [];
  readonly #wanting: ((held: Held) => void)[] = [];
  /** How many jobs are in hand, and how many were at most. */
  inHand = 0;
  most = 0;

  readonly handle: Handler = (job, context) => {
    this.inHand++;
    this.most = Math.max(this.most, this.inHand);
    return new Promise<JobResult>((resolve, reject) => {
      this.#give({ ...context, job, done: (result = EMPTY) => resolve(result), fail: reject });
    }).finally(() => {
      this.inHand--;
    });
  };

  /** The next job to be started, once it is. */
  next(): Promise<Held> {
    const held = this.#arrived.shift();
    return held === undefined ? new Promise((resolve) => this.#wanting.push(resolve)) : Promise.resolve(held);
  }

  /** How many jobs were started and not yet asked for. */
  get waiting(): number {
    return this.#arrived.length;
  }

  #give(held: Held): void {
    const want = this.#wanting.shift();
    if (want === undefined) this.#arrived.push(held);
    else want(held);
  }
}
