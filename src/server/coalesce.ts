import { ImgtoolError } from '../errors.js';
import { orAborted } from './deadline.js';

/** Lets callers that want the same thing at the same time share one run of it. */
export interface Coalescer<T> {
  /**
   * The result of the run under way for `key`, or of a new one. A caller that leaves stops the run only when nobody
   * else waits for it.
   */
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** A coalescer; results are handed to all callers as they are, so nobody may change them. */
export function coalescer<T>(): Coalescer<T> {
  const running = new Map<string, Run<T>>();
  return {
    async run(key, signal, work) {
      signal.throwIfAborted();
      const run = running.get(key) ?? started(running, key, work);
      run.callers += 1;
      try {
        return await orAborted(run.result, signal);
      } finally {
        run.callers -= 1;
        // a later caller must not join a run that is about to fail for want of callers
        if (run.callers === 0 && running.get(key) === run) {
          running.delete(key);
          run.stop.abort(new ImgtoolError('E_CANCELLED', 'nobody waits for it any more'));
        }
      }
    },
  };
}

interface Run<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  callers: number;
}

function started<T>(
  running: Map<string, Run<T>>,
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
): Run<T> {
  const stop = new AbortController();
  const result = work(stop.signal);
  const run: Run<T> = { result, stop, callers: 0 };
  const end = (): void => {
    if (running.get(key) === run) running.delete(key);
  };
  result.then(end, end);
  running.set(key, run);
  return run;
}
