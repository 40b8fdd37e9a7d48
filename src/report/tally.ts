import type { Outcome } from '../outcome.js';

/** The counts of a run; sizes in bytes, time in milliseconds. */
export interface Summary {
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
  /** Pictures left out by type, because this build does not read them: `{ heic: 3 }`. */
  readonly unreadable: Readonly<Record<string, number>>;
}

/** Adds up outcomes as they come; holds no outcome. */
export interface Tally {
  add(outcome: Outcome): void;
  unreadable(type: string): void;
  summary(ms: number): Summary;
}

/** A new count at zero. */
export function newTally(): Tally {
  const counts = { done: 0, skipped: 0, failed: 0 };
  let bytesIn = 0;
  let bytesOut = 0;
  const types: Record<string, number> = {};
  return {
    add(outcome) {
      counts[outcome.status] += 1;
      if (outcome.status !== 'done') return;
      bytesIn += outcome.bytes;
      bytesOut += outcome.outputs.reduce((sum, output) => sum + output.bytes, 0);
    },
    unreadable(type) {
      types[type] = (types[type] ?? 0) + 1;
    },
    summary: (ms) => ({
      total: counts.done + counts.skipped + counts.failed,
      ...counts,
      bytesIn,
      bytesOut,
      ms: Math.round(ms),
      unreadable: { ...types },
    }),
  };
}
