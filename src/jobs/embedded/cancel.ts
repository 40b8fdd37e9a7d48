import type { JobId, JobStatus } from '../job.js';
import { change, selection } from './statement.js';
import type { Store } from './store.js';
import { checkRoom } from './submit.js';

interface Found {
  readonly n: number;
  readonly state: JobStatus;
  readonly level: number;
  readonly tenant: string;
  readonly key: string | null;
  readonly ttl: number | null;
  readonly expires_at: number | null;
}

const FIND = 'SELECT n, state, level, tenant, key, ttl, expires_at FROM jobs WHERE id = ?';

/**
 * The change that cancels a job: at once while it waits, else by a mark that its end will be judged by. It gives false for
 * what is over or unknown; `running` hears the row whose handler has to be told.
 */
export function cancellation(store: Store, running: (n: number) => void): (id: JobId) => boolean {
  const { db, clock, tally, commits } = store.parts;
  const find = selection<Found>(db, FIND);
  const end = change(
    db,
    `UPDATE jobs SET state = 'cancelled', finished_at = ?, expires_at = ?, error = NULL, changed = ? WHERE n = ?`,
  );
  const mark = change(db, 'UPDATE jobs SET cancel = 1 WHERE n = ?');

  return (id) => {
    const job = find.one(id);
    if (job?.state === 'queued') {
      const now = clock.now();
      end(now, job.ttl === null ? null : now + job.ttl, store.touch(job.n), job.n);
      tally.move(job.level, job.tenant, 'queued', 'cancelled');
      store.count('finished');
      return true;
    }
    if (job?.state !== 'running') return false;
    mark(job.n);
    commits.afterwards(() => running(job.n));
    return true;
  };
}

/**
 * The change that queues a failed or cancelled job anew, with all its attempts; false for others, and when another job of
 * its key took its place meanwhile. Throws E_QUEUE_FULL or E_QUOTA.
 */
export function retrial(store: Store): (id: JobId) => boolean {
  const { db, clock, tally } = store.parts;
  const find = selection<Found>(db, FIND);
  const alive = selection<{ n: number }>(
    db,
    `SELECT n FROM jobs WHERE tenant = ? AND key = ? AND key IS NOT NULL AND state IN ('queued', 'running')`,
  );
  const requeue = change(
    db,
    `UPDATE jobs SET state = 'queued', ready_at = ?, attempts = 0, lost = 0, cancel = 0, progress = 0, error = NULL,
       started_at = NULL, finished_at = NULL, expires_at = NULL, changed = ? WHERE n = ?`,
  );

  return (id) => {
    const job = find.one(id);
    if (job?.state !== 'failed' && job?.state !== 'cancelled') return false;
    if (job.expires_at !== null && job.expires_at <= clock.now()) return false;
    if (job.key !== null && alive.one(job.tenant, job.key) !== undefined) return false;
    checkRoom(store, job.tenant);
    requeue(clock.now(), store.touch(job.n), job.n);
    tally.move(job.level, job.tenant, job.state, 'queued');
    store.count('retries');
    return true;
  };
}
