import type { Outcome } from '../outcome.js';
import { roundedMs } from './figures.js';

/** The counts of a run; sizes in bytes, time in milliseconds. */
export interface Summary {
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  /** Results removed because their inputs are gone. */
  readonly pruned: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
  /** Pictures left out by type, because this build does not read them: `{ heic: 3 }`. */
  readonly unreadable: Readonly<Record<string, number>>;
  /** What results differ in from what was asked, and how often. */
  readonly notes: Readonly<Record<string, number>>;
}

/** Adds up outcomes as they come; holds no outcome. */
export interface Tally {
  add(outcome: Outcome): void;
  unreadable(type: string): void;
  summary(ms: number): Summary;
}

/** Notes counted apart; a run whose notes all differ counts the rest together. */
const NOTES = 20;
const OTHER_NOTES = 'other notes';

/** A new count at zero. */
export function newTally(): Tally {
  const counts = { done: 0, skipped: 0, failed: 0 };
  let pruned = 0;
  let bytesIn = 0;
  let bytesOut = 0;
  const types = new Map<string, number>();
  const notes = new Map<string, number>();
  return {
    add(outcome) {
      if (outcome.status === 'pruned') {
        pruned += outcome.action === 'removed' ? 1 : 0;
        return;
      }
      counts[outcome.status] += 1;
      if (outcome.status !== 'done') return;
      bytesIn += outcome.bytes;
      bytesOut += outcome.outputs.reduce((sum, output) => sum + output.bytes, 0);
      for (const note of outcome.notes)
        count(notes, notes.has(note) || notes.size < NOTES ? note : OTHER_NOTES);
    },
    unreadable: (type) => count(types, type),
    summary: (ms) => ({
      total: counts.done + counts.skipped + counts.failed,
      ...counts,
      pruned,
      bytesIn,
      bytesOut,
      ms: roundedMs(ms),
      unreadable: Object.fromEntries(types),
      notes: Object.fromEntries(notes),
    }),
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
