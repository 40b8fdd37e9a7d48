import type { Place } from './place.js';

/** The newest of any number of places, a bounded number of them held. */
export class Newest {
  readonly #most: number;
  #held: { readonly place: Place; readonly changedMs: number }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a place; gives those that are too old to be among the newest. */
  add(place: Place, changedMs: number): readonly Place[] {
    this.#held.push({ place, changedMs });
    if (this.#held.length < 2 * this.#most) return [];
    return this.#sorted()
      .splice(0, this.#most)
      .map(({ place: old }) => old);
  }

  /** Takes all out, the newest last. */
  take(): readonly Place[] {
    const places = this.#sorted().map(({ place }) => place);
    this.#held = [];
    return places;
  }

  #sorted() {
    return this.#held.sort((a, b) => a.changedMs - b.changedMs);
  }
}
