import { ERRORS, type ErrorCode, type ImgtoolError } from '../src/errors.js';
import type { BatchFlags } from './batch-command.js';

/** The failures of a run, of whatever stage. */
export interface FailureCount {
  /** Aborted at the failure after which no more work is taken. */
  readonly tooMany: AbortSignal;
  add(error: ImgtoolError): void;
  count(): number;
  /** Whether one with this code was added. */
  has(code: ErrorCode): boolean;
  /** 0 without a failure, 3 when all there was were patterns without a match, else 1. */
  exitCode(total: number): number;
}

/** A new count, which ends a run as `--on-error` and `--max-errors` say. */
export function failureCount(flags: BatchFlags): FailureCount {
  const most = mostErrors(flags);
  const stop = new AbortController();
  const codes = new Set<ErrorCode>();
  let count = 0;
  let unmatched = 0;
  return {
    tooMany: stop.signal,
    add({ code }) {
      count += 1;
      codes.add(code);
      if (code === 'E_NOTHING_MATCHED') unmatched += 1;
      if (count >= most) stop.abort();
    },
    count: () => count,
    has: (code) => codes.has(code),
    exitCode(total) {
      if (total > 0 && unmatched === total) return ERRORS.E_NOTHING_MATCHED.exit;
      return count > 0 ? 1 : 0;
    },
  };
}

/** Failures after which no more work is taken. */
export function mostErrors(flags: BatchFlags): number {
  return flags['max-errors'] ?? (flags['on-error'] === 'stop' ? 1 : Number.POSITIVE_INFINITY);
}

/** A pattern without a match is no failure where nothing at all would be none. */
export function isForgiven(error: ImgtoolError, flags: BatchFlags): boolean {
  return flags['allow-empty'] === true && error.code === 'E_NOTHING_MATCHED';
}
