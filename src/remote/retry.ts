import { ERRORS, type ErrorCode, type ImgtoolError } from '../errors.js';

/** Failures to answer in a row after which a server is taken for gone. */
export const AWAY_AFTER = 6;

const TRIES = 6;
const PATIENCE_MS = 300_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Milliseconds before the next try: anything from none to a bound that doubles with each failure, so that many callers
 * do not come back at once (full jitter); what the server asks for comes on top.
 */
export function pauseMs(failures: number, waitMs = 0): number {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return waitMs + Math.random() * bound;
}

/** What an error says of the server: it does not answer, it has no room, or it is fine and the picture is at fault. */
export type Standing = 'broken' | 'busy' | 'fine';

const STANDINGS: Partial<Record<ErrorCode, Standing>> = {
  E_UPSTREAM: 'broken',
  E_DRAINING: 'broken',
  E_DATA_IN_USE: 'broken',
  E_DISK_FULL: 'broken',
  E_WRITE: 'broken',
  E_QUEUE_FULL: 'busy',
  E_QUOTA: 'busy',
  E_TIMEOUT: 'busy',
};

/** Reads a {@link Standing} off an error of a call. */
export function standingOf({ code }: ImgtoolError): Standing {
  return STANDINGS[code] ?? 'fine';
}

/** The tries of one piece of work. */
export interface Tries {
  /** Whether to make another one after this error. */
  another(error: ImgtoolError): boolean;
}

/**
 * Counts the tries of one piece of work: six, where waiting for room in a queue is none; all within five minutes. With
 * patience, only those count in which the server answered and failed.
 */
export function newTries(patient: boolean): Tries {
  const until = Date.now() + PATIENCE_MS;
  let left = TRIES;
  return {
    another(error) {
      if (!mayHelp(error)) return false;
      const standing = standingOf(error);
      if (patient && standing === 'broken') return true;
      if (error.code !== 'E_QUEUE_FULL' && error.code !== 'E_QUOTA') left -= 1;
      return left > 0 && (patient || Date.now() < until);
    },
  };
}

/** What went wrong with the input on this side is no affair of servers. */
const OURS: ReadonlySet<ErrorCode> = new Set(['E_READ', 'E_CHANGED', 'E_CANCELLED']);

function mayHelp({ code }: ImgtoolError): boolean {
  return ERRORS[code].retry && !OURS.has(code);
}
