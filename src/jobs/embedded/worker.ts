import { ImgtoolError, toImgtoolError } from '../../errors.js';
import type { Handler } from '../queue.js';
import type { Claim, Claims } from './claim.js';
import { blobsOf, type Ending, type Settlements } from './settle.js';
import type { Store } from './store.js';

/** A change that could not be written is tried again after this long. */
const AGAIN_MS = 1000;

/** Steps of progress smaller than this are kept to oneself. */
const STEP = 0.01;

/** A loop of a handler. */
interface Worker {
  readonly handle: Handler;
  free: number;
}

/** A claim in a handler's hands. */
interface Hand {
  readonly claim: Claim;
  readonly abort: AbortController;
  readonly over: Promise<void>;
}

/** Hands out claims to handlers and carries back how they ended. */
export class Workers {
  readonly #store: Store;
  readonly #claims: Claims;
  readonly #settlements: Settlements;
  readonly #workers: Worker[] = [];
  readonly #hands = new Map<number, Hand>();
  #callOffWake: (() => void) | undefined;
  #stopped = false;

  constructor(store: Store, claims: Claims, settlements: Settlements) {
    this.#store = store;
    this.#claims = claims;
    this.#settlements = settlements;
  }

  /** Has a handler do up to `concurrency` jobs at a time from now on. */
  add(handle: Handler, concurrency: number): void {
    this.#workers.push({ handle, free: concurrency });
    this.#store.parts.commits.wake();
  }

  /** The change that fills free hands; part of every transaction, so that a job accepted or ended costs no second one. */
  fill(): void {
    if (this.#stopped) return;
    const { commits, clock } = this.#store.parts;
    const now = clock.now();
    for (const worker of this.#workers) {
      if (worker.free === 0) continue;
      const claimed = this.#claims.take(worker.free, now);
      commits.afterwards(() => {
        for (const claim of claimed) this.#start(worker, claim);
        if (worker.free > 0) this.#wakeLater(now);
      });
    }
  }

  /** Claims whose jobs are being done. */
  claims(): readonly Claim[] {
    return Array.from(this.#hands.values(), ({ claim }) => claim);
  }

  /** Tells the handler of a row that its job is cancelled. */
  cancel(n: number): void {
    this.#hands.get(n)?.abort.abort(new ImgtoolError('E_CANCELLED', 'expected to finish, was cancelled'));
  }

  /** Takes a job out of the hands of a worker that lost its lease. */
  lose(n: number): void {
    const hand = this.#hands.get(n);
    this.#letGo(n);
    hand?.abort.abort(new ImgtoolError('E_TIMEOUT', 'expected the lease to be renewed in time, it ran out'));
  }

  /** Hands out nothing more. */
  pause(): void {
    this.#stopped = true;
    this.#callOffWake?.();
  }

  /** Resolves when the running jobs are over, or `grace` ms later with the rest returned to the queue. */
  async stop(grace: number): Promise<void> {
    if (grace > 0) await this.#overWithin(grace);
    const { commits } = this.#store.parts;
    const left = [...this.#hands.values()];
    this.#hands.clear();
    // what cannot be written now is done at the next start
    await Promise.allSettled(
      left.map(({ claim }) => commits.run(() => this.#settlements.settle(claim, { kind: 'returned' }))),
    );
    for (const { abort } of left)
      abort.abort(new ImgtoolError('E_DRAINING', 'expected to finish, the queue closes'));
  }

  async #overWithin(grace: number): Promise<void> {
    const over = Promise.all(Array.from(this.#hands.values(), (hand) => hand.over));
    await new Promise<void>((resolve) => {
      const callOff = this.#store.parts.clock.after(grace, resolve);
      void over.then(() => {
        callOff();
        resolve();
      });
    });
  }

  #start(worker: Worker, claim: Claim): void {
    worker.free--;
    const abort = new AbortController();
    const over = this.#attempt(worker.handle, claim, abort.signal).then((ending) => {
      worker.free++;
      return this.#carryBack(claim, ending);
    });
    this.#hands.set(claim.n, { claim, abort, over });
  }

  async #attempt(handle: Handler, claim: Claim, signal: AbortSignal): Promise<Ending> {
    try {
      const progress = (fraction: number) => this.#progress(claim, fraction);
      return { kind: 'done', result: await handle(claim, { signal, progress }) };
    } catch (thrown) {
      return { kind: 'failed', error: toImgtoolError(thrown, 'E_INTERNAL') };
    }
  }

  /** Writes down how a job ended, however long the disk refuses; the end of a claim that is lost is of no account. */
  async #carryBack(claim: Claim, ending: Ending): Promise<void> {
    const { commits, blobs, clock } = this.#store.parts;
    // its hand is free again; without a change to write there is no transaction that would fill it
    if (!this.#holds(claim)) commits.wake();
    while (this.#holds(claim)) {
      try {
        await commits.run(() => this.#settlements.settle(claim, ending));
        break;
      } catch {
        await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
      }
    }
    if (this.#holds(claim)) this.#letGo(claim.n);
    // what became part of the job stays: these are the results nobody asked for
    if (ending.kind === 'done')
      await Promise.all(blobsOf(ending.result).map((blob) => blobs.store.discard(blob)));
  }

  #holds(claim: Claim): boolean {
    return this.#hands.get(claim.n)?.claim === claim;
  }

  #letGo(n: number): void {
    this.#hands.delete(n);
    this.#store.live.delete(n);
  }

  #progress(claim: Claim, fraction: number): void {
    const told = this.#store.live.get(claim.n)?.progress ?? 0;
    const progress = Math.min(1, fraction);
    if (!this.#holds(claim) || !(progress - told >= STEP || (progress === 1 && told < 1))) return;
    this.#store.live.set(claim.n, { progress, changed: this.#store.next() });
    this.#store.tell(claim.n);
  }

  /** Sees to what becomes ready after `now`, the time as the last claims saw it: nothing may fall in between. */
  #wakeLater(now: number): void {
    this.#callOffWake?.();
    const { clock, commits } = this.#store.parts;
    const at = this.#claims.nextReady(now);
    this.#callOffWake = at === undefined ? undefined : clock.after(at - clock.now(), () => commits.wake());
  }
}
