import { dirname } from 'node:path';
import { type ImgtoolError, toImgtoolError } from '../errors.js';
import { Seen } from '../io/seen.js';
import type { Outcome } from '../outcome.js';
import { moveInto, putAside } from './aside.js';
import { attempt } from './attempt.js';
import { Claims } from './claims.js';
import { delayAfter, failureKind, mayPass } from './failures.js';
import { Newest } from './newest.js';
import type { Tell, WatchOptions, WatchWork } from './options.js';
import { nameOf, type Place, pathOf } from './place.js';
import { type Arrival, ArrivalQueue } from './queue.js';
import { type Look, lookOf, statsAt, unsteadyFor } from './steady.js';

/** Who is told of what becomes of arrivals. */
export interface ArrivalListener {
  readonly tell: Tell;
  /** Nothing lies at the path any more. */
  departed(path: string): void;
  /** A picture has its results. */
  arrived(path: string, look: Look): void;
  /** Whether the folder of a place is still one to take pictures from. */
  holds(place: Place): boolean;
  /** What has a picture's name is a folder. */
  folder(place: Place): Promise<void>;
  /** Looks through folders again in which pictures were left behind. */
  lookAgain(folders: readonly string[]): Promise<void>;
}

/** After so many ms pictures are tried again that failed for a reason outside of them, such as a full disk. */
const LATER = 30_000;

/** Takes pictures from being heard of to having their results: waits until they are whole, tries, tries again. */
export class Arrivals {
  readonly #options: WatchOptions;
  readonly #listener: ArrivalListener;
  readonly #queue: ArrivalQueue;
  readonly #newest: Newest;
  readonly #claims = new Claims();
  readonly #running = new Map<string, { again: boolean }>();
  /** Folders in which pictures were left behind, to be looked through once there is room. */
  readonly #leftBehind = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Rejects with what makes going on meaningless; never resolves before the end. */
  readonly failed: Promise<void>;
  #work: WatchWork;
  #settled = new Seen();
  #generation = 0;
  #searches = 0;
  #stopped = false;
  #alarm: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];
  #fail: (error: ImgtoolError) => void = () => undefined;
  #end: () => void = () => undefined;

  constructor(options: WatchOptions, listener: ArrivalListener) {
    this.#options = options;
    this.#listener = listener;
    this.#work = options.work;
    this.#queue = new ArrivalQueue(options.order, options.capacity);
    this.#newest = new Newest(options.capacity);
    this.failed = new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#end = resolve;
    });
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Files that were settled so far: grows whenever something new was met. */
  get settled(): number {
    return this.#settled.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Told by the system: waits until the file stands still. */
  heard(place: Place): void {
    this.#offer(place, Date.now() + this.#options.stability);
  }

  /** Met in a search, which waits here while there is no room. */
  async found(place: Place): Promise<void> {
    if (this.#options.order === 'newest' || this.#settled.size > 0) {
      const path = pathOf(place);
      const stats = await statsAt(path);
      if (stats === undefined) return;
      const look = lookOf(path, stats);
      if (this.#settled.has(look.key)) return;
      if (this.#options.order === 'newest') {
        for (const old of this.#newest.add(place, look.changedMs)) this.#leaveBehind(old);
        return;
      }
    }
    while (!this.#stopped && this.#queue.size >= this.#options.capacity) await this.#change();
    this.#offer(place, Date.now());
  }

  /** Runs a search; nothing is idle meanwhile. */
  async during(search: () => Promise<void>): Promise<void> {
    this.#searches += 1;
    try {
      await search();
      // all of them before the first is taken, which is to be the newest
      for (const place of this.#newest.take()) this.#enqueue(place, Date.now());
    } finally {
      this.#searches -= 1;
      this.#pump();
      this.#changed();
    }
  }

  /** Works by another recipe from now on; what is running by the old one is done again. */
  use(work: WatchWork): void {
    this.#work = work;
    this.#generation += 1;
    this.#settled = new Seen();
  }

  /** Resolves when nothing waits, runs or is searched for. */
  async idle(): Promise<void> {
    while (!this.#stopped && !this.#isIdle()) await this.#change();
  }

  /** Takes no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#alarm);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#queue.clear();
    this.#changed();
  }

  /** Resolves, after a stop, when nothing runs. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await this.#change();
    this.#end();
  }

  #isIdle(): boolean {
    return this.#queue.size + this.#running.size + this.#leftBehind.size + this.#searches === 0;
  }

  #offer(place: Place, due: number): void {
    this.#enqueue(place, due);
    this.#pump();
  }

  #enqueue(place: Place, due: number): void {
    if (this.#stopped) return;
    const running = this.#running.get(pathOf(place));
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const pushedOut = this.#queue.offer(place, due);
    if (pushedOut !== undefined) this.#leaveBehind(pushedOut);
  }

  #leaveBehind(place: Place): void {
    this.#leftBehind.add(dirname(pathOf(place)));
  }

  /** Starts as many as may run, and sees to it that the next one is started when it is due. */
  #pump(): void {
    if (this.#stopped) return;
    while (this.#running.size < this.#options.concurrency) {
      const arrival = this.#queue.take(Date.now());
      if (arrival === undefined) break;
      this.#start(arrival);
    }
    this.#rearm();
    this.#fetchLeftBehind();
  }

  #rearm(): void {
    clearTimeout(this.#alarm);
    const due = this.#queue.nextDue();
    if (due === undefined || this.#running.size >= this.#options.concurrency) return;
    this.#alarm = setTimeout(() => this.#pump(), Math.max(1, due - Date.now()));
  }

  #fetchLeftBehind(): void {
    if (this.#leftBehind.size === 0 || this.#searches > 0 || this.#queue.size > this.#options.capacity / 2)
      return;
    const folders = [...this.#leftBehind];
    this.#leftBehind.clear();
    this.#listener
      .lookAgain(folders)
      .catch((thrown: unknown) => this.#fail(toImgtoolError(thrown, 'E_READ')));
  }

  #start(arrival: Arrival): void {
    const path = pathOf(arrival.place);
    const mark = { again: false };
    this.#running.set(path, mark);
    this.#handle(arrival)
      .catch((thrown: unknown) => this.#fail(toImgtoolError(thrown, 'E_INTERNAL', { file: path })))
      .finally(() => {
        this.#running.delete(path);
        if (mark.again) this.#offer(arrival.place, Date.now());
        this.#changed();
        this.#pump();
      });
  }

  async #handle(arrival: Arrival): Promise<void> {
    const { place } = arrival;
    const path = pathOf(place);
    const stats = await statsAt(path);
    if (stats === undefined) return this.#listener.departed(path);
    if (stats.isDirectory()) return this.#listener.folder(place);
    if (!stats.isFile() || !this.#listener.holds(place)) return;
    const look = lookOf(path, stats);
    if (this.#settled.has(look.key)) return;
    const wait = unsteadyFor(look, arrival.look, this.#options.stability);
    if (arrival.look?.key !== look.key) arrival.look = look;
    if (wait > 0) return this.#waitFor(arrival, wait);
    if (arrival.failedKey !== look.key) arrival.tries = 0;
    await this.#try(arrival, look);
  }

  #waitFor(arrival: Arrival, ms: number): void {
    arrival.due = Date.now() + ms;
    if (!this.#stopped) this.#queue.return(arrival);
  }

  async #try(arrival: Arrival, look: Look): Promise<void> {
    const { place } = arrival;
    const generation = this.#generation;
    try {
      const outcome = await attempt(place, look, this.#patient(arrival), this.#claims);
      if (generation === this.#generation) await this.#succeeded(place, look, outcome);
      else this.#again(place);
    } catch (thrown) {
      const error = toImgtoolError(thrown, 'E_INTERNAL', { file: nameOf(place) });
      await this.#missed(arrival, look, error);
    }
  }

  /** Damage may be a file half written: only the last try takes what can be decoded. */
  #patient(arrival: Arrival): WatchWork {
    const isLast = arrival.tries + 1 >= this.#options.tries;
    const { process } = this.#work;
    return isLast ? this.#work : { ...this.#work, process: { ...process, lenient: false } };
  }

  async #succeeded(place: Place, look: Look, outcome: Outcome): Promise<void> {
    const { manifest } = this.#work.destination;
    // told means remembered, also by a process that is killed right after
    if (manifest !== undefined && 'flush' in manifest) manifest.flush();
    this.#settled.add(look.key);
    this.#listener.arrived(pathOf(place), look);
    await this.#listener.tell({ type: 'outcome', outcome });
    const { done } = this.#options;
    if (done !== undefined) await this.#moveDone(done, place, look);
  }

  async #moveDone(folder: string, place: Place, look: Look): Promise<void> {
    const path = pathOf(place);
    const stats = await statsAt(path);
    if (stats === undefined || lookOf(path, stats).key !== look.key) return this.#again(place);
    await this.#moving(place, 'done', () => moveInto(folder, place, this.#prefix(place)));
  }

  async #missed(arrival: Arrival, look: Look, error: ImgtoolError): Promise<void> {
    const { place } = arrival;
    const kind = failureKind(error);
    if (kind === 'changed') return this.#again(place);
    if (kind === 'fatal') return this.#fail(error);
    arrival.tries += 1;
    arrival.failedKey = look.key;
    if (mayPass(error) && arrival.tries < this.#options.tries && !this.#stopped)
      await this.#retry(arrival, error);
    else await this.#givenUp(arrival, look, error);
  }

  async #retry(arrival: Arrival, error: ImgtoolError): Promise<void> {
    const delay = delayAfter(arrival.tries, this.#options.retryDelay);
    const source = nameOf(arrival.place);
    this.#waitFor(arrival, delay);
    await this.#listener.tell({ type: 'retry', source, error, attempt: arrival.tries, delay });
  }

  async #givenUp({ place, tries }: Arrival, look: Look, error: ImgtoolError): Promise<void> {
    const source = nameOf(place);
    if (failureKind(error) === 'outside') this.#tryLater(place);
    else this.#settled.add(look.key);
    await this.#listener.tell({ type: 'outcome', outcome: { source, status: 'failed', error } });
    const { failed } = this.#options;
    if (failed === undefined || failureKind(error) !== 'picture') return;
    await this.#moving(place, 'failed', () =>
      putAside(failed, place, this.#prefix(place), { error, attempts: tries }),
    );
  }

  /** What cannot be moved stays and is told of; it is not processed again. */
  async #moving(place: Place, to: 'done' | 'failed', move: () => Promise<string>): Promise<void> {
    try {
      const path = await move();
      await this.#listener.tell({ type: 'moved', source: nameOf(place), path, to });
    } catch (thrown) {
      await this.#listener.tell({ type: 'problem', error: toImgtoolError(thrown, 'E_WRITE') });
    }
  }

  #prefix({ folder }: Place): string {
    return this.#work.naming.prefixes.get(folder.argument) ?? '';
  }

  #tryLater(place: Place): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#leaveBehind(place);
      this.#pump();
    }, LATER);
    if (!this.#options.once) this.#timers.add(timer);
    else clearTimeout(timer);
  }

  #again(place: Place): void {
    const running = this.#running.get(pathOf(place));
    if (running !== undefined) running.again = true;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
