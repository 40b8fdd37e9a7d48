import type { BlobOwner } from '../blobs.js';
import type { Clock } from '../clock.js';
import type { BlobId } from '../job.js';
import type { QueueLimits } from '../limits.js';
import type { Listeners } from '../listeners.js';
import type { Commits } from './commits.js';
import type { Database } from './database.js';
import { type Live, ROW, type Row, rowState } from './rows.js';
import { change, type Selection, selection } from './statement.js';
import type { Tally } from './tally.js';

/** What a store is made of. */
export interface StoreParts {
  readonly db: Database;
  readonly commits: Commits;
  readonly tally: Tally;
  readonly blobs: BlobOwner;
  readonly listeners: Listeners;
  readonly limits: QueueLimits;
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds that a claim holds without renewal. */
  readonly lease: number;
}

/** Numbers that only grow while the queue is open. */
export interface Totals {
  submitted: number;
  finished: number;
  retries: number;
  lost: number;
  expired: number;
}

/** What the changes of the embedded queue share: its parts, and the count of changes. */
export class Store {
  readonly parts: StoreParts;
  readonly totals: Totals = { submitted: 0, finished: 0, retries: 0, lost: 0, expired: 0 };
  /** What running jobs told of themselves since their rows were written, by row. */
  readonly live = new Map<number, Live>();
  readonly #attach: ReturnType<typeof change>;
  readonly #row: Selection<Row>;
  readonly #touched = new Set<number>();
  #last: number;

  constructor(parts: StoreParts) {
    this.parts = parts;
    this.#attach = change(parts.db, 'INSERT INTO blobs (id, n, bytes) VALUES (?, ?, ?)');
    this.#row = selection(parts.db, `SELECT ${ROW} FROM jobs WHERE n = ?`);
    this.#last = firstChange(parts.db, parts.clock.now());
  }

  /** The number of the last change. */
  get last(): number {
    return this.#last;
  }

  /** The number of a change that no row holds. */
  next(): number {
    this.#last++;
    return this.#last;
  }

  /** The number of a change of a row, told to listeners once it is durable; only inside a change. */
  touch(n: number): number {
    this.#touchOf(n);
    return this.next();
  }

  /** The number of a new row, which is the number of its first change too. */
  arrive(): number {
    const n = this.next();
    this.#touchOf(n);
    return n;
  }

  /** Counts something once it is durable; only inside a change. */
  count(what: keyof Totals): void {
    this.parts.commits.afterwards(() => {
      this.totals[what]++;
    });
  }

  /** Makes a loose blob a row's; only inside a change. Throws E_NOT_FOUND when it is not loose. */
  attach(n: number, blob: BlobId): void {
    const { blobs, commits } = this.parts;
    this.#attach(blob, n, blobs.take(blob));
    commits.afterwards(() => blobs.settle());
  }

  /** Tells listeners how a row stands. */
  tell(n: number): void {
    const row = this.#row.one(n);
    if (row === undefined || !this.parts.listeners.hears(row.id)) return;
    const job = rowState(row, this.live.get(n));
    this.parts.listeners.tell({ id: job.changed, job });
  }

  /** Forgets what a transaction did that was undone. */
  undo(): void {
    this.#touched.clear();
    this.parts.blobs.undo();
    this.parts.tally.reload();
  }

  #touchOf(n: number): void {
    if (!this.parts.listeners.any) return;
    if (this.#touched.size === 0) this.parts.commits.afterwards(() => this.#tellTouched());
    // the last change counts: a row changed twice in one transaction is told of once
    this.#touched.delete(n);
    this.#touched.add(n);
  }

  #tellTouched(): void {
    const rows = [...this.#touched];
    this.#touched.clear();
    for (const n of rows) this.tell(n);
  }
}

/**
 * Numbers start at the microsecond of the opening, or after the last on record: progress is told under numbers that no
 * row holds, and after a crash none of those may come again.
 */
function firstChange(db: Database, now: number): number {
  const last =
    selection<{ last: number | null }>(db, 'SELECT MAX(changed) AS last FROM jobs').one()?.last ?? 0;
  return Math.max(last, now * 1000);
}
