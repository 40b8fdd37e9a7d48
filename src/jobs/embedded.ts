import { join } from 'node:path';
import { ImgtoolError } from '../errors.js';
import { type BlobStore, openBlobs } from './blobs.js';
import { checkJob } from './check.js';
import { type Clock, systemClock } from './clock.js';
import { diskGuard } from './disk.js';
import { cancellation, retrial } from './embedded/cancel.js';
import { claims } from './embedded/claim.js';
import { Commits } from './embedded/commits.js';
import { closeDatabase, type Database, emptyLog, faults, openDatabase } from './embedded/database.js';
import { expiry } from './embedded/expiry.js';
import { leases } from './embedded/leases.js';
import { listing } from './embedded/listing.js';
import { settlements } from './embedded/settle.js';
import { selection } from './embedded/statement.js';
import { Store } from './embedded/store.js';
import { submission } from './embedded/submit.js';
import { Tally } from './embedded/tally.js';
import { Workers } from './embedded/worker.js';
import type { Job, JobId, JobState } from './job.js';
import { QUEUE_LIMITS, type QueueLimits } from './limits.js';
import { Listeners } from './listeners.js';
import type { FullJobQueue, Handler, JobCounts, JobEvent, ListQuery } from './queue.js';

/** How to open an embedded queue. */
export interface EmbeddedOptions {
  /** The data folder; it is made when missing, and this process's alone. */
  readonly folder: string;
  readonly limits?: Partial<QueueLimits>;
  /** Milliseconds a claim holds without renewal; default 30 s, renewed every third of it. */
  readonly lease?: number;
  /** Milliseconds that `close` gives running jobs; default 10 s. */
  readonly grace?: number;
  readonly clock?: Clock;
  /** Numbers from 0 to under 1, for the spread of retries. */
  readonly random?: () => number;
}

/** A queue in a folder, with its blobs. */
export interface EmbeddedQueue extends FullJobQueue {
  readonly blobs: BlobStore;
  /** The id of the newest event. */
  latest(): number;
  /** Takes no more jobs and starts none, but still answers; `close` does the rest. */
  drain(): void;
  /** As the contract has it, with another time for running jobs than the queue was opened with, in milliseconds. */
  close(grace?: number): Promise<void>;
  /** What is wrong with the database, in SQLite's words; nothing with a whole one. Reads all of it. */
  check(): Promise<readonly string[]>;
}

const LEASE_MS = 30_000;
const GRACE_MS = 10_000;
const AGAIN_MS = 1000;

/**
 * Opens the queue in a folder: jobs and their states in SQLite, each change durable before it is told, blobs in files
 * beside. What a process left running that died is queued again. Throws E_DATA_IN_USE while another process has the
 * folder, E_CONFIG for a database that is damaged or of a newer version.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedQueue> {
  const db = await openDatabase(join(options.folder, 'jobs.sqlite'));
  try {
    const limits = { ...QUEUE_LIMITS, ...options.limits };
    const owned =
      selection<{ bytes: number | null }>(db, 'SELECT SUM(bytes) AS bytes FROM blobs').one()?.bytes ?? 0;
    const blobs = await openBlobs(join(options.folder, 'blobs'), limits.blobBytes, owned);
    const { clock = systemClock, random = Math.random, lease = LEASE_MS } = options;
    const commits = new Commits(db, { before: () => queue.fill(), undone: (error) => queue.undo(error) });
    const parts = { db, commits, blobs, limits, clock, random, lease };
    const store = new Store({ ...parts, tally: new Tally(db), listeners: new Listeners() });
    const queue = new Embedded(store, options);
    await queue.start();
    return queue;
  } catch (thrown) {
    closeDatabase(db);
    throw thrown;
  }
}

class Embedded implements EmbeddedQueue {
  readonly blobs: BlobStore;
  readonly #store: Store;
  readonly #db: Database;
  readonly #grace: number;
  readonly #claims;
  readonly #submit;
  readonly #cancel;
  readonly #retry;
  readonly #leases;
  readonly #expiry;
  readonly #listing;
  readonly #workers: Workers;
  readonly #checkDisk: () => Promise<void>;
  readonly #ends: (() => void)[] = [];
  #callOffTick: (() => void) | undefined;
  #callOffAgain: (() => void) | undefined;
  #swept: Promise<void> = Promise.resolve();
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(store: Store, { folder, grace = GRACE_MS }: EmbeddedOptions) {
    const { db, blobs, limits, clock } = store.parts;
    this.#store = store;
    this.#db = db;
    this.#grace = grace;
    this.blobs = blobs.store;
    this.#claims = claims(store);
    this.#workers = new Workers(store, this.#claims, settlements(store));
    this.#submit = submission(store);
    this.#cancel = cancellation(store, (n) => this.#workers.cancel(n));
    this.#retry = retrial(store);
    this.#leases = leases(store);
    this.#expiry = expiry(store);
    this.#listing = listing(store);
    this.#checkDisk = diskGuard(folder, limits.reserve, clock);
  }

  /** Takes up what a process before left; blobs of no job are removed meanwhile. */
  async start(): Promise<void> {
    const { commits, blobs } = this.#store.parts;
    await commits.run(() => this.#leases.recover());
    const owned = selection<{ id: string }>(this.#db, 'SELECT id FROM blobs WHERE id = ?');
    this.#swept = blobs.sweep((blob) => !this.#db.isOpen || owned.one(blob) !== undefined);
    this.#tickLater();
    this.#sweepExpired();
  }

  /** Part of every transaction. */
  fill(): void {
    this.#workers.fill();
  }

  /** After a transaction that could not be written: memory as the disk has it, and another try at what waits. */
  undo(error: ImgtoolError): void {
    this.#store.undo();
    if (error.code === 'E_DISK_FULL') emptyLog(this.#db);
    const { clock, commits } = this.#store.parts;
    this.#callOffAgain?.();
    this.#callOffAgain = clock.after(AGAIN_MS, () => commits.wake());
  }

  async submit(job: Job): Promise<JobId> {
    const source = job.source.kind === 'blob' ? job.source.blob : undefined;
    let fresh = false;
    try {
      const checked = checkJob(job);
      await this.#checkDisk();
      const submitted = await this.#store.parts.commits.run(() => {
        if (this.#draining) throw draining();
        return this.#submit(checked, source);
      });
      fresh = submitted.fresh;
      return submitted.id;
    } finally {
      if (!fresh && source !== undefined) await this.blobs.discard(source);
    }
  }

  async get(id: JobId): Promise<JobState | undefined> {
    const job = this.#listing.find(id);
    const over = job?.expiresAt !== undefined && job.expiresAt <= this.#store.parts.clock.now();
    if (over || (job === undefined && this.#expiry.remembers(id))) {
      throw new ImgtoolError('E_EXPIRED', `expected a job that is kept, received ${id}, which expired`);
    }
    return job;
  }

  async work(handle: Handler, concurrency: number): Promise<void> {
    if (this.#draining) return;
    this.#workers.add(handle, concurrency);
    await new Promise<void>((resolve) => this.#ends.push(resolve));
  }

  cancel(id: JobId): Promise<boolean> {
    return this.#store.parts.commits.run(() => this.#cancel(id));
  }

  retry(id: JobId): Promise<boolean> {
    return this.#store.parts.commits.run(() => {
      if (this.#draining) throw draining();
      return this.#retry(id);
    });
  }

  async list(query: ListQuery = {}) {
    return this.#listing.list(query);
  }

  subscribe(listener: (event: JobEvent) => void, job?: JobId): () => void {
    return this.#store.parts.listeners.add(listener, job);
  }

  async since(id: number, limit: number) {
    return this.#listing.since(id, limit);
  }

  latest(): number {
    return this.#store.last;
  }

  async counts(): Promise<JobCounts> {
    const { tally, blobs, clock } = this.#store.parts;
    const oldest = this.#claims.oldest();
    return {
      ...this.#store.totals,
      depth: tally.depth(),
      oldest: oldest === undefined ? undefined : clock.now() - oldest,
      blobBytes: blobs.bytes(),
    };
  }

  async check(): Promise<readonly string[]> {
    return faults(this.#db, 'integrity_check');
  }

  drain(): void {
    this.#draining = true;
    this.#workers.pause();
  }

  close(grace = this.#grace): Promise<void> {
    this.#closed ??= this.#close(grace);
    return this.#closed;
  }

  async #close(grace: number): Promise<void> {
    this.drain();
    await this.#workers.stop(grace);
    this.#callOffTick?.();
    this.#callOffAgain?.();
    await this.#swept;
    this.#store.parts.commits.close();
    // what the last changes left over goes while the folder is still this process's
    await this.#store.parts.blobs.removed();
    closeDatabase(this.#db);
    for (const end of this.#ends) end();
  }

  #tickLater(): void {
    const { clock, lease } = this.#store.parts;
    this.#callOffTick = clock.after(lease / 3, () => void this.#tick());
  }

  /** First what ran out, then what is renewed: a machine that slept through a lease has lost it. */
  async #tick(): Promise<void> {
    const { commits } = this.#store.parts;
    this.#tickLater();
    const lost = commits.run(() => {
      const rows = this.#leases.reclaim();
      this.#leases.renew(this.#workers.claims());
      commits.afterwards(() => {
        for (const n of rows) this.#workers.lose(n);
      });
    });
    this.#sweepExpired();
    // a disk that takes no writes is tried again with the next tick
    await lost.catch(() => undefined);
  }

  #sweepExpired(): void {
    const { commits } = this.#store.parts;
    void commits
      .run(() => this.#expiry.sweep())
      .then(
        (more) => more && this.#sweepExpired(),
        () => undefined,
      );
  }
}

function draining(): ImgtoolError {
  return new ImgtoolError('E_DRAINING', 'expected an open queue, received one that is closing');
}
