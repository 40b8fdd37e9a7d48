import { expected, ImgtoolError } from '../errors.js';

/** A signal that ends with a time limit or with the caller, whichever comes first. */
export interface Deadline {
  /** Aborted with E_TIMEOUT, or with E_CANCELLED once the caller has gone. */
  readonly signal: AbortSignal;
  /** The caller has gone: nothing that only it wants is worth finishing. */
  cancel(): void;
  /** Stops the clock; to be called when the work is done. */
  release(): void;
}

/** Starts the clock of a request that may take so many milliseconds in all. */
export function deadline(ms: number): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(
    () =>
      controller.abort(new ImgtoolError('E_TIMEOUT', expected(`an answer within ${ms / 1000} s`, 'none'))),
    Math.min(ms, LONGEST_TIMER),
  );
  return {
    signal: controller.signal,
    cancel: () => controller.abort(new ImgtoolError('E_CANCELLED', 'the caller has gone')),
    release: () => clearTimeout(timer),
  };
}

/** What setTimeout can count to, in milliseconds; it takes anything above for 1. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Settles as the promise does, or rejects with the signal's reason once it is aborted. */
export function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
