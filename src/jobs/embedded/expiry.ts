import type { BlobId, JobId, JobStatus } from '../job.js';
import { change, selection } from './statement.js';
import type { Store } from './store.js';

/** How long an expired id is known as such. */
const REMEMBERED_MS = 86_400_000;

/** Rows of one transaction. */
const MOST = 500;

interface Due {
  readonly n: number;
  readonly id: JobId;
  readonly state: JobStatus;
  readonly level: number;
  readonly tenant: string;
}

/** The end of jobs, results and inputs whose time is over. */
export interface Expiry {
  /** The change that removes some of what is due; true when there may be more. */
  sweep(): boolean;
  /** Whether a job of this id was here, not long ago. */
  remembers(id: JobId): boolean;
}

/** Expiry in a store. */
export function expiry(store: Store): Expiry {
  const { db, blobs, clock, tally, commits } = store.parts;
  const due = selection<Due>(
    db,
    `SELECT n, id, state, level, tenant FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ${MOST}`,
  );
  const blobsOf = selection<{ id: BlobId; bytes: number }>(db, 'SELECT id, bytes FROM blobs WHERE n = ?');
  const dropBlobs = change(db, 'DELETE FROM blobs WHERE n = ?');
  const dropJob = change(db, 'DELETE FROM jobs WHERE n = ?');
  const remember = change(db, 'INSERT INTO expired (id, forget_at) VALUES (?, ?)');
  const forget = change(
    db,
    `DELETE FROM expired WHERE id IN (SELECT id FROM expired WHERE forget_at <= ? LIMIT ${MOST})`,
  );
  const remembered = selection<{ id: JobId }>(db, 'SELECT id FROM expired WHERE id = ? AND forget_at > ?');

  function remove({ n, id, state, level, tenant }: Due, now: number): void {
    // the files go once no row names them: a crash in between leaves files, which the next start sweeps
    for (const { id: blob, bytes } of blobsOf.all(n))
      commits.afterwards(() => void blobs.remove(blob, bytes));
    dropBlobs(n);
    dropJob(n);
    remember(id, now + REMEMBERED_MS);
    tally.move(level, tenant, state, undefined);
    store.count('expired');
  }

  return {
    sweep() {
      const now = clock.now();
      const rows = due.all(now);
      for (const row of rows) remove(row, now);
      return forget(now) === MOST || rows.length === MOST;
    },
    remembers: (id) => remembered.one(id, clock.now()) !== undefined,
  };
}
