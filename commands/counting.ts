import type { Source } from '../src/io/source.js';
import type { Reporter } from './terminal/reporter.js';

/** A search for inputs that is counted, for people who watch. */
export interface Counting {
  find(drain: AbortSignal): AsyncIterable<Source>;
  /** Looks around once more to count, unless a search before has counted already; worth it once work goes on. */
  look(): void;
  stop(): void;
}

/** Tells the reporter how many inputs there are, as soon as any search for them comes to its end. */
export function counting(
  search: (drain: AbortSignal) => AsyncIterable<Source>,
  reporter: Reporter,
): Counting {
  const ended = new AbortController();
  let known = !reporter.wantsTotal;
  async function* find(drain: AbortSignal): AsyncGenerator<Source> {
    let count = 0;
    for await (const source of search(drain)) {
      count += 1;
      yield source;
    }
    if (drain.aborted) return;
    known = true;
    reporter.expect(count);
  }
  return {
    find,
    look() {
      if (known) return;
      known = true;
      void exhausted(find(ended.signal), ended.signal);
    },
    stop: () => ended.abort(),
  };
}

/** What goes wrong here goes wrong in the search proper too, and is told there. */
async function exhausted(sources: AsyncIterable<Source>, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of sources) if (signal.aborted) return;
  } catch {}
}
