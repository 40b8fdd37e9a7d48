/** Time, and the right to be woken: given to whatever leases, delays or expires, so that tests can turn it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after some milliseconds; gives what calls that off. */
  after(ms: number, call: () => void): () => void;
}

/** setTimeout fires at once for anything longer. */
const LONGEST = 2 ** 31 - 1;

/** The machine's clock; its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
