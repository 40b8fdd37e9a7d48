import type { ImgtoolError } from '../errors.js';
import { AWAY_AFTER, pauseMs } from './retry.js';

/** How one server of a pool stands. */
export class Site<C> {
  readonly name: string;
  readonly client: C;
  /** Pieces of work in flight there. */
  running = 0;
  /** Pieces of work ever begun there. */
  begun = 0;
  /** Most in flight there: fewer after it said that it was full, one while it does not answer. */
  window: number;
  /** Failures to answer in a row; those of calls that ran side by side count as one. */
  failures = 0;
  /** Milliseconds since 1970 until which it is left alone. */
  restsUntil = 0;
  lastError: ImgtoolError | undefined;
  #stamp = 0;
  #credit = 0;

  constructor({ name, client }: { readonly name: string; readonly client: C }, most: number) {
    this.name = name;
    this.client = client;
    this.window = most;
  }

  /** Whether it has failed to answer for so long that nothing waits for it any more. */
  get isAway(): boolean {
    return this.failures >= AWAY_AFTER;
  }

  /** Begins a piece of work; the number given tells later failures that it had a part in from new ones. */
  begin(): number {
    this.running += 1;
    this.begun += 1;
    return this.#stamp;
  }

  end(): void {
    this.running -= 1;
  }

  /** It answered. What was narrowed for a broken connection opens at once, for a full queue little by little. */
  wentWell(most: number): void {
    if (this.failures > 0) this.window = most;
    this.failures = 0;
    this.lastError = undefined;
    this.#credit += 1;
    if (this.window >= most || this.#credit < 4 * this.window) return;
    this.window += 1;
    this.#credit = 0;
  }

  /** It has no room. As long as work of ours runs there, its end tells when there is room again; else it rests. */
  isFull(restMs: number): void {
    const others = this.running - 1;
    this.#credit = 0;
    this.window = Math.max(1, Math.min(this.window, others));
    if (others === 0) this.restsUntil = Date.now() + restMs;
  }

  /** It does not answer: it rests, longer each time. Whether this is news. */
  broke(stamp: number, error: ImgtoolError, waitMs: number | undefined): boolean {
    if (stamp !== this.#stamp) return false;
    this.#stamp += 1;
    this.failures += 1;
    this.lastError = error;
    this.window = 1;
    this.restsUntil = Date.now() + pauseMs(this.failures, waitMs);
    return true;
  }
}
