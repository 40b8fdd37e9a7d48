import { ERRORS, type ErrorCode, type ImgtoolError } from '../errors.js';

/**
 * What a failure is about: the `picture` itself; something `outside` of it that may pass, such as a full disk; its
 * `place`, where a result is in the way or must not go; that it `changed` meanwhile; or the watch as a whole (`fatal`).
 */
export type FailureKind = 'picture' | 'outside' | 'place' | 'changed' | 'fatal';

/** The kind of a failure. A file that is gone is one that changed; a folder that is gone under a result is made again. */
export function failureKind({ code, stage }: ImgtoolError): FailureKind {
  if (code === 'E_CHANGED') return 'changed';
  if (code === 'E_NOT_FOUND') return stage === 'write' ? 'outside' : 'changed';
  if (FATAL.has(code)) return 'fatal';
  if (ERRORS[code].retry) return 'outside';
  return OF_PICTURES.has(code) ? 'picture' : 'place';
}

/** Whether the same picture may go through later: half written, not readable yet, or for a reason outside of it. */
export function mayPass(error: ImgtoolError): boolean {
  return INCOMPLETE.has(error.code) || failureKind(error) === 'outside';
}

/** Milliseconds to wait after so many failed tries: doubled each time, half a minute at most. */
export function delayAfter(tries: number, first: number): number {
  return Math.min(LONGEST, first * 2 ** (tries - 1));
}

const LONGEST = 30_000;

const INCOMPLETE: ReadonlySet<ErrorCode> = new Set(['E_DECODE', 'E_EMPTY', 'E_UNSUPPORTED', 'E_PERMISSION']);

const OF_PICTURES: ReadonlySet<ErrorCode> = new Set([
  'E_DECODE',
  'E_EMPTY',
  'E_UNSUPPORTED',
  'E_LIMIT_PIXELS',
  'E_LIMIT_FRAMES',
  'E_LIMIT_BYTES',
  'E_LIMIT_OUTPUT',
  'E_PROCESS',
  'E_ENCODE',
]);

/** Codes that make going on meaningless. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['E_MANIFEST', 'E_USAGE']);
