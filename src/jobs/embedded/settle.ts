import { expected, ImgtoolError } from '../../errors.js';
import { backoff, mayPass } from '../backoff.js';
import type { BlobId, JobError, JobResult, JobStatus } from '../job.js';
import type { Claim } from './claim.js';
import { change, selection } from './statement.js';
import type { Store } from './store.js';

/** How a handler left a job: done, failed, or unfinished through no fault of the job's. */
export type Ending =
  | { readonly kind: 'done'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: ImgtoolError }
  | { readonly kind: 'returned' };

/** A running row, as far as its end depends on it. */
export interface Running {
  readonly n: number;
  readonly level: number;
  readonly tenant: string;
  readonly attempts: number;
  readonly tries: number;
  readonly lost: number;
  readonly ttl: number | null;
  readonly ready_at: number;
  readonly cancel: number;
}

/** The columns of {@link Running}. */
export const RUNNING = 'n, level, tenant, attempts, tries, lost, ttl, ready_at, cancel';

/** A job whose workers died under it so often is not given to another: it may be what kills them. */
const MOST_LOST = 5;

/** Taking jobs out of the hands of workers. */
export interface Settlements {
  /** The change that ends a claim; false, with nothing changed, when the claim no longer counts. */
  settle(claim: Claim, ending: Ending): boolean;
  /** The change for a job whose worker is gone. */
  lose(row: Running): void;
}

/** Settlements in a store. */
export function settlements(store: Store): Settlements {
  const { db, blobs, clock, tally, random } = store.parts;
  const owned = selection<Running>(
    db,
    `SELECT ${RUNNING} FROM jobs WHERE n = ? AND owner = ? AND state = 'running'`,
  );
  const end = change(
    db,
    `UPDATE jobs SET state = ?, owner = NULL, lease_until = NULL, finished_at = ?, expires_at = ?, error = ?,
       result = ?, progress = IIF(? = 'succeeded', 1, progress), changed = ? WHERE n = ?`,
  );
  const requeue = change(
    db,
    `UPDATE jobs SET state = 'queued', owner = NULL, lease_until = NULL, ready_at = ?, attempts = ?, lost = ?,
       error = COALESCE(?, error), progress = 0, changed = ? WHERE n = ?`,
  );

  function finish(
    row: Running,
    state: JobStatus,
    result: JobResult | undefined,
    error: JobError | undefined,
  ): void {
    const now = clock.now();
    for (const blob of new Set(result && blobsOf(result))) store.attach(row.n, blob);
    const expires = row.ttl === null ? null : now + row.ttl;
    end(state, now, expires, text(error), text(result), state, store.touch(row.n), row.n);
    tally.move(row.level, row.tenant, 'running', state);
    store.count('finished');
  }

  function again(row: Running, readyAt: number, changes: Partial<Running>, error?: JobError): void {
    const { attempts, lost } = { ...row, ...changes };
    requeue(readyAt, attempts, lost, text(error), store.touch(row.n), row.n);
    tally.move(row.level, row.tenant, 'running', 'queued');
  }

  function fail(row: Running, error: ImgtoolError): void {
    const isLast = !mayPass(error.code) || row.attempts >= row.tries;
    if (isLast) finish(row, 'failed', undefined, error.toJSON());
    else again(row, clock.now() + backoff(row.attempts, random), {}, error.toJSON());
    if (!isLast) store.count('retries');
  }

  function succeed(row: Running, result: JobResult): void {
    const stray = blobsOf(result).find((blob) => !blobs.isLoose(blob));
    if (stray === undefined) finish(row, 'succeeded', result, undefined);
    else
      fail(row, new ImgtoolError('E_INTERNAL', expected('a result in store', `blob ${stray}, which is not`)));
  }

  function conclude(row: Running, ending: Ending): void {
    if (row.cancel === 1) finish(row, 'cancelled', undefined, undefined);
    else if (ending.kind === 'returned') again(row, row.ready_at, { attempts: row.attempts - 1 });
    else if (ending.kind === 'failed') fail(row, ending.error);
    else succeed(row, ending.result);
  }

  return {
    settle(claim, ending) {
      const row = owned.one(claim.n, claim.owner);
      if (row !== undefined) conclude(row, ending);
      return row !== undefined;
    },
    lose(row) {
      store.count('lost');
      const lost = row.lost + 1;
      if (row.cancel === 1) finish(row, 'cancelled', undefined, undefined);
      else if (lost < MOST_LOST) again(row, row.ready_at, { lost, attempts: row.attempts - 1 });
      else finish(row, 'failed', undefined, lostError(lost).toJSON());
    },
  };
}

/** The blobs that a result names. */
export function blobsOf({ outputs }: JobResult): BlobId[] {
  return outputs.flatMap(({ at }) => (at.kind === 'blob' ? [at.blob] : []));
}

function lostError(times: number): ImgtoolError {
  return new ImgtoolError(
    'E_INTERNAL',
    `expected a worker that lives through the job, lost ${times} of them`,
  );
}

function text(value: JobError | JobResult | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
