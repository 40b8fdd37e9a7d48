import type { Order } from './options.js';
import { type Place, pathOf } from './place.js';
import type { Look } from './steady.js';

/** A picture on its way: heard of, waited for, tried. */
export interface Arrival {
  readonly place: Place;
  /** Not to be looked at before, in milliseconds since 1970. */
  due: number;
  /** How it stood when it was last looked at. */
  look?: Look;
  /** Tries that failed, of the content `failedKey`. */
  tries: number;
  failedKey?: string;
  /** Whether it was pushed out or taken back. */
  gone: boolean;
}

/** Of so many pictures taken in order one is taken from the other end, so that neither the old nor the new ones starve. */
const FAIR_SHARE = 8;

/**
 * Pictures waiting their turn, each path once and a bounded number of them. When one too many comes, another is pushed
 * out and given back: of `oldest` first the latest before it, of `newest` first the oldest.
 */
export class ArrivalQueue {
  readonly #order: Order;
  readonly #capacity: number;
  readonly #known = new Map<string, Arrival>();
  readonly #waiting = new DueHeap();
  #ready: Arrival[] = [];
  #head = 0;
  #taken = 0;
  #latest: Arrival | undefined;

  constructor(order: Order, capacity: number) {
    this.#order = order;
    this.#capacity = capacity;
  }

  /** Pictures waiting. */
  get size(): number {
    return this.#known.size;
  }

  /** Adds a picture, or puts off one that is waiting to be whole; gives the place that was pushed out for it. */
  offer(place: Place, due: number): Place | undefined {
    const path = pathOf(place);
    const known = this.#known.get(path);
    if (known !== undefined && known.tries === 0) {
      known.due = Math.max(known.due, due);
      return undefined;
    }
    // one that failed is tried anew at once when it is heard of again
    this.delete(path);
    const pushedOut = this.#known.size >= this.#capacity ? this.#pushOut() : undefined;
    this.#latest = { place, due, tries: 0, gone: false };
    this.return(this.#latest);
    return pushedOut;
  }

  /** Puts an arrival that was taken back among the waiting, until it is due. */
  return(arrival: Arrival): void {
    this.#known.set(pathOf(arrival.place), arrival);
    this.#waiting.push(arrival);
  }

  /** The next one whose time has come. */
  take(now: number): Arrival | undefined {
    for (let next = this.#waiting.pop(now); next !== undefined; next = this.#waiting.pop(now))
      this.#ready.push(next);
    const fromEnd = (this.#order === 'newest') !== (this.#taken % FAIR_SHARE === FAIR_SHARE - 1);
    const arrival = this.#next(fromEnd);
    if (arrival === undefined) return undefined;
    this.#taken += 1;
    this.#known.delete(pathOf(arrival.place));
    return arrival;
  }

  /** When {@link take} will have one again, in milliseconds since 1970; undefined when nothing waits. */
  nextDue(): number | undefined {
    return this.#waiting.firstDue();
  }

  /** Takes a path out. */
  delete(path: string): void {
    const known = this.#known.get(path);
    if (known === undefined) return;
    known.gone = true;
    this.#known.delete(path);
  }

  /** Takes everything out. */
  clear(): void {
    for (const path of [...this.#known.keys()]) this.delete(path);
  }

  #next(fromEnd: boolean): Arrival | undefined {
    while (this.#head < this.#ready.length) {
      const arrival = fromEnd ? this.#ready.pop() : this.#ready[this.#head++];
      if (this.#head > this.#capacity) {
        this.#ready = this.#ready.slice(this.#head);
        this.#head = 0;
      }
      if (arrival !== undefined && !arrival.gone) return arrival;
    }
    this.#ready = [];
    this.#head = 0;
    return undefined;
  }

  #pushOut(): Place | undefined {
    const [first] = this.#known.values();
    const latest = this.#latest?.gone === false && this.#known.has(pathOf(this.#latest.place));
    const victim = this.#order === 'newest' || !latest ? first : this.#latest;
    if (victim !== undefined) this.delete(pathOf(victim.place));
    return victim?.place;
  }
}

/** Arrivals by the time they are due; one put off since it was added sinks when it comes up. */
class DueHeap {
  readonly #items: { readonly arrival: Arrival; readonly due: number; readonly turn: number }[] = [];
  #turns = 0;

  push(arrival: Arrival): void {
    const items = this.#items;
    let at = items.push({ arrival, due: arrival.due, turn: this.#turns++ }) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  firstDue(): number | undefined {
    return this.#items[0]?.due;
  }

  /** The earliest one that is due by now. */
  pop(now: number): Arrival | undefined {
    for (let top = this.#items[0]; top !== undefined && top.due <= now; top = this.#items[0]) {
      this.#dropFirst();
      if (top.arrival.gone) continue;
      if (top.arrival.due <= now) return top.arrival;
      this.push(top.arrival);
    }
    return undefined;
  }

  #dropFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    for (let at = 0; ; ) {
      const least = [2 * at + 1, 2 * at + 2].reduce(
        (best, child) => (this.#isBefore(child, best) ? child : best),
        at,
      );
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  /** Of those due together the one that came first. */
  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#items[a], this.#items[b]];
    if (one === undefined || other === undefined) return one !== undefined;
    return one.due === other.due ? one.turn < other.turn : one.due < other.due;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#items[a], this.#items[b]];
    if (one === undefined || other === undefined) return;
    this.#items[a] = other;
    this.#items[b] = one;
  }
}
