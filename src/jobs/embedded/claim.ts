import { randomBytes } from 'node:crypto';
import { type JobId, PRIORITIES, type Work } from '../job.js';
import type { ClaimedJob } from '../queue.js';
import { change, type Selection, selection } from './statement.js';
import type { Store } from './store.js';

/** The right to do a job and to say how it ended, until its lease runs out. */
export interface Claim extends ClaimedJob {
  readonly n: number;
  /** Who holds it: no two claims have the same, and a job's row names the one that counts. */
  readonly owner: string;
}

/** After this long a job is aged. */
const AGED_MS = 30_000;

/** Every so many claims one goes to the job that waited longest, if aged: whatever comes first, all get their turn. */
const AGED_TURN = 4;

interface Head {
  readonly n: number;
  readonly ready_at: number;
}

/** Taking jobs out of the queue. */
export interface Claims {
  /** The change that claims up to `most` jobs. */
  take(most: number, now: number): readonly Claim[];
  /** When the first job becomes ready that is not ready `now`; undefined without any. */
  nextReady(now: number): number | undefined;
  /** Since when the job waiting longest is ready; undefined without any. */
  oldest(): number | undefined;
}

/** Claims from a store: by level, then by time; tenants at their limit of running jobs are passed over. */
export function claims(store: Store): Claims {
  const { db, clock, tally, limits, lease } = store.parts;
  const queued = `FROM jobs WHERE state = 'queued' AND tenant = ? AND level = ?`;
  const head: Selection<Head> = selection(
    db,
    `SELECT n, ready_at ${queued} AND ready_at <= ? ORDER BY ready_at, n LIMIT 1`,
  );
  const later = selection<Head>(
    db,
    `SELECT n, ready_at ${queued} AND ready_at > ? ORDER BY ready_at LIMIT 1`,
  );
  const hold = change(
    db,
    `UPDATE jobs SET state = 'running', owner = ?, lease_until = ?, started_at = ?, attempts = attempts + 1,
       progress = 0, changed = ? WHERE n = ?`,
  );
  const held = selection<Held>(db, 'SELECT id, work, tenant, level, attempts FROM jobs WHERE n = ?');
  let turn = 0;

  /** The first row of each tenant at a level, the earliest of them. */
  function firstAt(level: number, query: Selection<Head>, when: number, free: boolean): Head | undefined {
    if (tally.queuedAt(level) === 0) return undefined;
    let first: Head | undefined;
    for (const [tenant, { queued: waiting, running }] of tally.tenants()) {
      if ((waiting[level] ?? 0) === 0 || (free && running >= limits.tenantRunning)) continue;
      first = earlier(first, query.one(tenant, level, when));
    }
    return first;
  }

  function firstOf(query: Selection<Head>, now: number, free: boolean): Head | undefined {
    return PRIORITIES.map((_, level) => firstAt(level, query, now, free)).reduce(earlier, undefined);
  }

  function pick(now: number): Head | undefined {
    turn++;
    if (turn % AGED_TURN === 0) {
      const aged = firstOf(head, now, true);
      if (aged !== undefined && now - aged.ready_at >= AGED_MS) return aged;
    }
    for (let level = 0; level < PRIORITIES.length; level++) {
      const first = firstAt(level, head, now, true);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  function take(now: number): Claim | undefined {
    const first = pick(now);
    if (first === undefined) return undefined;
    const owner = randomOwner();
    hold(owner, now + lease, now, store.touch(first.n), first.n);
    const row = held.one(first.n);
    if (row === undefined) return undefined;
    tally.move(row.level, row.tenant, 'queued', 'running');
    return claim(first.n, owner, row);
  }

  return {
    take(most, now) {
      const taken: Claim[] = [];
      while (taken.length < most) {
        const next = take(now);
        if (next === undefined) break;
        taken.push(next);
      }
      return taken;
    },
    nextReady: (now) => firstOf(later, now, false)?.ready_at,
    oldest: () => firstOf(head, clock.now(), false)?.ready_at,
  };
}

interface Held {
  readonly id: JobId;
  readonly work: string;
  readonly tenant: string;
  readonly level: number;
  readonly attempts: number;
}

function claim(n: number, owner: string, { id, work, tenant, attempts }: Held): Claim {
  return { n, owner, id, work: JSON.parse(work) as Work, tenant, attempt: attempts };
}

function earlier(a: Head | undefined, b: Head | undefined): Head | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.ready_at < a.ready_at || (b.ready_at === a.ready_at && b.n < a.n) ? b : a;
}

/** Unique beyond this process: the names of a run before must not count. */
const RUN = randomBytes(8).toString('hex');
let claimed = 0;

function randomOwner(): string {
  claimed++;
  return `${RUN}-${claimed}`;
}
