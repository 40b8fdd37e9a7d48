import { ImgtoolError } from '../errors.js';
import { type Deadline, deadline } from './deadline.js';

/** The requests that are inside, so that a server that goes down can wait for them. */
export interface Visits {
  /** Begins a request of limited time. Throws E_DRAINING once the server is going down. */
  enter(): Deadline;
  /** Lets nobody in any more; resolves when all have left. */
  drain(): Promise<void>;
  draining(): boolean;
}

/** Visits of at most so many milliseconds each. */
export function visits(totalMs: number): Visits {
  const inside = new Set<Promise<void>>();
  let draining = false;
  return {
    enter() {
      if (draining) throw new ImgtoolError('E_DRAINING', 'the server is going down: ask another one');
      const limit = deadline(totalMs);
      let leave = (): void => undefined;
      const visit = new Promise<void>((resolve) => {
        leave = resolve;
      });
      inside.add(visit);
      return {
        ...limit,
        release() {
          limit.release();
          inside.delete(visit);
          leave();
        },
      };
    },
    async drain() {
      draining = true;
      await Promise.all(inside);
    },
    draining: () => draining,
  };
}
