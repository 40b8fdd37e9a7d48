import { expected, ImgtoolError } from '../../errors.js';
import type { CheckedJob } from '../check.js';
import { newId } from '../ids.js';
import type { BlobId, JobId } from '../job.js';
import { change, selection } from './statement.js';
import type { Store } from './store.js';

/** What became of a job: a row of its own, or one that was there. */
export interface Submitted {
  readonly id: JobId;
  readonly fresh: boolean;
}

/** The change that takes a job in; it throws E_QUEUE_FULL or E_QUOTA, and E_NOT_FOUND for a blob of another's. */
export function submission(store: Store): (job: CheckedJob, source: BlobId | undefined) => Submitted {
  const { db, clock, tally } = store.parts;
  const alive = selection<{ id: JobId }>(
    db,
    `SELECT id FROM jobs WHERE tenant = ? AND key = ? AND key IS NOT NULL AND state IN ('queued', 'running')`,
  );
  const insert = change(
    db,
    `INSERT INTO jobs (n, id, state, level, tenant, key, work, tries, ttl, created_at, ready_at, changed)
     VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  return (job, source) => {
    const known = job.key === null ? undefined : alive.one(job.tenant, job.key);
    if (known !== undefined) return { id: known.id, fresh: false };
    checkRoom(store, job.tenant);
    const [n, now] = [store.arrive(), clock.now()];
    if (source !== undefined) store.attach(n, source);
    const id = newId(now);
    const { level, tenant, key, work, attempts, ttl, delay } = job;
    insert(n, id, level, tenant, key, work, attempts, ttl, now, now + delay, n);
    tally.move(level, tenant, undefined, 'queued');
    store.count('submitted');
    return { id, fresh: true };
  };
}

/** Throws unless one more job of a tenant may wait. */
export function checkRoom(store: Store, tenant: string): void {
  const { limits, tally } = store.parts;
  const mine = tally.tenant(tenant)?.queued.reduce((sum, jobs) => sum + jobs, 0) ?? 0;
  refuseOver('E_QUOTA', limits.tenantQueued, 'waiting jobs of yours', mine);
  refuseOver('E_QUEUE_FULL', limits.queued, 'waiting jobs', tally.total('queued'));
  refuseOver('E_QUEUE_FULL', limits.stored, 'jobs on record', tally.all());
}

function refuseOver(code: 'E_QUOTA' | 'E_QUEUE_FULL', most: number, what: string, there: number): void {
  if (there < most) return;
  throw new ImgtoolError(code, expected(`at most ${most} ${what}`, 'one more'), { stage: 'plan' });
}
