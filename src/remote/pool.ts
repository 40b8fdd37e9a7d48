import { expected, ImgtoolError } from '../errors.js';
import { CallFailure } from '../server/grpc/failure.js';
import { newTries, pauseMs, standingOf } from './retry.js';
import { Site } from './site.js';

/** A server of a pool: how it is called, and its connection. */
export interface Member<C> {
  readonly name: string;
  readonly client: C;
}

/** What a pool may do and tells. */
export interface PoolOptions {
  /** Most pictures in flight at one server. */
  readonly most: number;
  /** Wait for servers that are away, however long, instead of giving up. */
  readonly patient: boolean;
  /** Aborted when no more tries are to be made. */
  readonly drain: AbortSignal;
  /** Told when a server stops answering, and, without an error, when it does so again. */
  tell(event: { readonly server: string; readonly error: ImgtoolError | undefined }): void;
}

/** One try of a piece of work. */
export interface Try<C> {
  readonly client: C;
  /** Whether the connection to this very server broke in the try before. */
  readonly again: boolean;
}

/** Servers that share the work. */
export interface Pool<C> {
  /**
   * Does one piece of work at the server with the fewest in flight, and elsewhere or later when it is away or full.
   * Throws what no other try would change, and E_UPSTREAM when tries have come to their end.
   */
  run<T>(work: (at: Try<C>) => Promise<T>): Promise<T>;
}

/** A pool over its members, of which there is at least one. */
export function pool<C>(members: readonly Member<C>[], options: PoolOptions): Pool<C> {
  return new Servers(members, options);
}

/** A place at a server. */
interface Turn<C> {
  readonly site: Site<C>;
  /** As {@link Site.begin} gave it. */
  readonly stamp: number;
}

class Servers<C> implements Pool<C> {
  readonly #sites: readonly Site<C>[];
  readonly #options: PoolOptions;
  readonly #room = waitingRoom();

  constructor(members: readonly Member<C>[], options: PoolOptions) {
    this.#sites = members.map((member) => new Site(member, options.most));
    this.#options = options;
    options.drain.addEventListener('abort', this.#room.wake, { once: true });
  }

  async run<T>(work: (at: Try<C>) => Promise<T>): Promise<T> {
    const tries = newTries(this.#options.patient);
    let broken: Site<C> | undefined;
    let last: ImgtoolError | undefined;
    for (;;) {
      const turn = await this.#turn(last);
      const { site } = turn;
      const done = await this.#attempt(turn, () => work({ client: site.client, again: broken === site }));
      if ('result' in done) return done.result;
      last = done.error;
      broken = last instanceof CallFailure && !last.answered ? site : undefined;
      if (!tries.another(last)) throw standingOf(last) === 'fine' ? last : this.#unanswered(last);
    }
  }

  /** A place at a server with room, taken before anybody else looks; waits for one as long as that makes sense. */
  async #turn(last: ImgtoolError | undefined): Promise<Turn<C>> {
    for (;;) {
      const now = Date.now();
      const site = leastBusy(this.#sites, now);
      if (site !== undefined) return { site, stamp: site.begin() };
      if (this.#isHopeless(now)) throw this.#unanswered(last);
      const rests = this.#sites.map(({ restsUntil }) => restsUntil - now).filter((rest) => rest > 0);
      await this.#room.pause(Math.min(...rests));
    }
  }

  /** Whether nothing of what is under way would bring a server back in time. */
  #isHopeless(now: number): boolean {
    const { patient, drain } = this.#options;
    if (drain.aborted && this.#sites.every(({ running }) => running === 0)) return true;
    return !patient && this.#sites.every(({ isAway, restsUntil }) => isAway && restsUntil > now);
  }

  async #attempt<T>(
    { site, stamp }: Turn<C>,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T } | { readonly error: ImgtoolError }> {
    try {
      const result = await work();
      this.#wentWell(site);
      return { result };
    } catch (thrown) {
      if (!(thrown instanceof ImgtoolError)) throw thrown;
      this.#failed(site, stamp, thrown);
      return { error: thrown };
    } finally {
      site.end();
      this.#room.wake();
    }
  }

  #failed(site: Site<C>, stamp: number, error: ImgtoolError): void {
    const standing = standingOf(error);
    const waitMs = error instanceof CallFailure ? error.waitMs : undefined;
    if (standing === 'fine') this.#wentWell(site);
    if (standing === 'busy') site.isFull(pauseMs(1, waitMs ?? 1000));
    if (standing === 'broken' && site.broke(stamp, error, waitMs) && site.failures === 1)
      this.#options.tell({ server: site.name, error });
  }

  #wentWell(site: Site<C>): void {
    if (site.failures > 0) this.#options.tell({ server: site.name, error: undefined });
    site.wentWell(this.#options.most);
  }

  #unanswered(last: ImgtoolError | undefined): ImgtoolError {
    const cause = last ?? this.#sites.find(({ lastError }) => lastError !== undefined)?.lastError;
    const [only, ...others] = this.#sites;
    const names = others.length === 0 ? only?.name : this.#sites.map(({ name }) => name).join(' or ');
    const said = cause?.code === 'E_UPSTREAM' ? cause.message : cause && `${cause.code}, ${cause.message}`;
    const message =
      others.length === 0 && cause?.code === 'E_UPSTREAM'
        ? cause.message
        : `${expected(`a result from ${names}`, 'none')}${said === undefined ? '' : `: ${said}`}`;
    return new ImgtoolError('E_UPSTREAM', message, { stage: 'process', cause });
  }
}

/** Where work waits for news of servers, or for time to pass; one timer, so that none outlives what waits. */
function waitingRoom() {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const wake = (): void => {
    clearTimeout(timer);
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      clearTimeout(timer);
      if (Number.isFinite(ms)) timer = setTimeout(wake, ms + 1);
    });
  return { wake, pause };
}

function leastBusy<C>(sites: readonly Site<C>[], now: number): Site<C> | undefined {
  const open = sites.filter((site) => site.restsUntil <= now && site.running < site.window);
  return open.sort((a, b) => a.running - b.running || a.begun - b.begun)[0];
}
