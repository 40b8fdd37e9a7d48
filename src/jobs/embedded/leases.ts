import type { Claim } from './claim.js';
import { RUNNING, type Running, settlements } from './settle.js';
import { change, selection } from './statement.js';
import type { Store } from './store.js';

/** The care for claims: renewal while their worker lives, another worker when not. */
export interface Leases {
  /** The change that renews claims; one that ran out stays so. */
  renew(claims: readonly Claim[]): void;
  /** The change that queues what ran out; gives the rows. */
  reclaim(): readonly number[];
  /** The change after a crash: whoever held a claim is dead, since it held the database too. */
  recover(): void;
}

/** Leases in a store. */
export function leases(store: Store): Leases {
  const { db, clock, lease } = store.parts;
  const { lose } = settlements(store);
  const renew = change(
    db,
    `UPDATE jobs SET lease_until = ?, progress = MAX(progress, ?), changed = MAX(changed, ?)
     WHERE n = ? AND owner = ? AND lease_until >= ?`,
  );
  const overdue = selection<Running>(
    db,
    `SELECT ${RUNNING} FROM jobs WHERE state = 'running' AND lease_until < ?`,
  );

  function reclaim(before: number): readonly number[] {
    const rows = overdue.all(before);
    for (const row of rows) lose(row);
    return rows.map(({ n }) => n);
  }

  return {
    renew(claims) {
      const now = clock.now();
      for (const { n, owner } of claims) {
        const { progress, changed } = store.live.get(n) ?? { progress: 0, changed: 0 };
        renew(now + lease, progress, changed, n, owner, now);
      }
    },
    reclaim: () => reclaim(clock.now()),
    recover: () => void reclaim(Number.MAX_SAFE_INTEGER),
  };
}
