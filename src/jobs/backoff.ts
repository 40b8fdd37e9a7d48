import { ERRORS, type ErrorCode } from '../errors.js';

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/**
 * Milliseconds to wait after the given failed attempt (1 for the first): exponential with full jitter, that is evenly
 * spread over 0 to 1 s, 2 s, 4 s ... at most a minute, so that what failed together does not come back together.
 */
export function backoff(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1)));
}

/** Whether work that failed so may succeed later without a change. */
export function mayPass(code: ErrorCode): boolean {
  return ERRORS[code].retry;
}
