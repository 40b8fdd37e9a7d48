import { ask, Refusal } from './api.js';
import type { Job } from './contract.js';
import { readEvents } from './sse.js';

/** Who is told of what happens to jobs. */
export interface Follower {
  changed(job: Job): void;
  /** The stream is there, for the first time or again: what happened before it is to be asked for. */
  joined(): void;
  /** The stream broke; another try follows by itself, but for a refused token. */
  lost(why: unknown): void;
}

/** A stream that says nothing for so long is broken, in milliseconds; the server says something every 15 s. */
const SILENCE_MS = 40_000;

/** Waits between tries, in milliseconds: the next one after each failure, then the last one. */
const WAITS_MS = [250, 500, 1000, 2000, 5000];

/**
 * Follows all jobs by one stream, for as long as the page lives, and takes it up where it broke. A page that nobody looks
 * at lets go of it: browsers allow six connections to a server, and every tab takes one.
 */
export class JobStream {
  readonly #follower: Follower;
  #last: string | undefined;
  #failures = 0;
  #ending = new AbortController();
  #wake: () => void = () => undefined;

  constructor(follower: Follower) {
    this.#follower = follower;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#ending.abort();
      else this.#wake();
    });
    addEventListener('online', () => this.#wake());
    void this.#forever();
  }

  async #forever(): Promise<void> {
    for (;;) {
      if (document.hidden) await this.#pause();
      const why: unknown = await this.#follow().catch((thrown: unknown) => thrown);
      if (document.hidden) continue;
      this.#follower.lost(why);
      if (why instanceof Refusal && why.status === 401) return;
      await this.#pause(WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)]);
      this.#failures += 1;
    }
  }

  async #follow(): Promise<void> {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    const headers: Record<string, string> = this.#last === undefined ? {} : { 'last-event-id': this.#last };
    const { body } = await ask('v1/jobs/events', { headers, signal });
    this.#failures = 0;
    this.#follower.joined();
    if (body !== null) await this.#read(body);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const ending = this.#ending;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => ending.abort(), SILENCE_MS);
    };
    alive();
    try {
      for await (const { id, data } of readEvents(body, alive)) {
        this.#last = id ?? this.#last;
        if (data !== '') this.#follower.changed(JSON.parse(data) as Job);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  /** Until something wakes it, or so many milliseconds have passed. */
  #pause(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (ms !== undefined) setTimeout(resolve, ms);
    });
  }
}
