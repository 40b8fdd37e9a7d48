import { JOB_STATES, type JobStatus, PRIORITIES, type Priority } from '../job.js';
import type { Database } from './database.js';
import { type Selection, selection } from './statement.js';

/** How many jobs of one tenant wait, by level, and run. */
export interface TenantTally {
  readonly queued: number[];
  running: number;
}

interface Counted {
  readonly state: JobStatus;
  readonly level: number;
  readonly tenant: string;
  readonly jobs: number;
}

/** The numbers of jobs by state, level and tenant: kept in memory, since counting rows takes as long as there are rows. */
export class Tally {
  readonly #count: Selection<Counted>;
  #depth = emptyDepth();
  #tenants = new Map<string, TenantTally>();

  constructor(db: Database) {
    this.#count = selection(
      db,
      'SELECT state, level, tenant, COUNT(*) AS jobs FROM jobs GROUP BY state, level, tenant',
    );
    this.reload();
  }

  /** Counts anew: at the start, and after a transaction was undone. */
  reload(): void {
    this.#depth = emptyDepth();
    this.#tenants = new Map();
    for (const { state, level, tenant, jobs } of this.#count.all()) this.#add(state, level, tenant, jobs);
  }

  /** A job came into a state, from another or from nowhere; or left for good. */
  move(level: number, tenant: string, from: JobStatus | undefined, to: JobStatus | undefined): void {
    if (from !== undefined) this.#add(from, level, tenant, -1);
    if (to !== undefined) this.#add(to, level, tenant, 1);
  }

  /** The tenants with jobs that wait or run. */
  tenants(): IterableIterator<[string, TenantTally]> {
    return this.#tenants.entries();
  }

  tenant(name: string): Readonly<TenantTally> | undefined {
    return this.#tenants.get(name);
  }

  /** Jobs in a state. */
  total(state: JobStatus): number {
    return this.#depth[state].reduce((sum, jobs) => sum + jobs, 0);
  }

  /** Jobs on record. */
  all(): number {
    return JOB_STATES.reduce((sum, state) => sum + this.total(state), 0);
  }

  /** Jobs that wait at a level. */
  queuedAt(level: number): number {
    return this.#depth.queued[level] ?? 0;
  }

  /** Jobs by state and priority. */
  depth(): Record<JobStatus, Record<Priority, number>> {
    const levels = (counts: readonly number[]) => record(PRIORITIES, (_, level) => counts[level] ?? 0);
    return record(JOB_STATES, (state) => levels(this.#depth[state]));
  }

  #add(state: JobStatus, level: number, tenant: string, jobs: number): void {
    const counts = this.#depth[state];
    counts[level] = (counts[level] ?? 0) + jobs;
    if (state !== 'queued' && state !== 'running') return;
    const mine = this.#tenants.get(tenant) ?? { queued: PRIORITIES.map(() => 0), running: 0 };
    if (state === 'running') mine.running += jobs;
    else mine.queued[level] = (mine.queued[level] ?? 0) + jobs;
    if (mine.running === 0 && mine.queued.every((waiting) => waiting === 0)) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, mine);
  }
}

function emptyDepth(): Record<JobStatus, number[]> {
  return record(JOB_STATES, () => PRIORITIES.map(() => 0));
}

function record<K extends string, V>(keys: readonly K[], value: (key: K, index: number) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key, index) => [key, value(key, index)])) as Record<K, V>;
}
