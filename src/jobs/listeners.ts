import type { JobId } from './job.js';
import type { JobEvent } from './queue.js';

type Listener = (event: JobEvent) => void;

/** Who wants to hear of which jobs. A thousand watchers of a thousand jobs cost one call for each change. */
export class Listeners {
  readonly #all = new Set<Listener>();
  readonly #byJob = new Map<JobId, Set<Listener>>();

  /** Adds a listener; gives what removes it. */
  add(listener: Listener, job: JobId | undefined): () => void {
    // one of its own, so that the same function may listen twice
    const own: Listener = (event) => listener(event);
    const set = job === undefined ? this.#all : (this.#byJob.get(job) ?? new Set());
    if (job !== undefined) this.#byJob.set(job, set);
    set.add(own);
    return () => {
      set.delete(own);
      if (job !== undefined && set.size === 0 && this.#byJob.get(job) === set) this.#byJob.delete(job);
    };
  }

  /** Whether anybody listens at all. */
  get any(): boolean {
    return this.#all.size > 0 || this.#byJob.size > 0;
  }

  /** Whether anybody hears of a job. */
  hears(job: JobId): boolean {
    return this.#all.size > 0 || this.#byJob.has(job);
  }

  /** Tells everybody concerned; one listener's fault keeps it from nobody else, and comes up on its own. */
  tell(event: JobEvent): void {
    for (const listener of [...this.#all, ...(this.#byJob.get(event.job.id) ?? [])]) {
      try {
        listener(event);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}
