import type { Clock } from '../../src/jobs/clock.js';

/** A clock that stands still until a test turns it. */
export class TurnedClock implements Clock {
  #now = 1_800_000_000_000;
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time go by: every timer at its moment, with the event loop's turns in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turns();
    for (let next = this.#first(end); next !== undefined; next = this.#first(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#fire(next);
      await turns();
    }
    this.#now = end;
    await turns();
  }

  /** Jumps, as a machine does that slept: what was due meanwhile comes all at once. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of [...this.#timers].filter(({ at }) => at <= this.#now)) this.#fire(timer);
    await turns();
  }

  #first(end: number): { at: number; call: () => void } | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #fire(timer: { at: number; call: () => void }): void {
    this.#timers.delete(timer);
    timer.call();
  }
}

/** Enough turns of the event loop for a commit and what follows from it. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
}
