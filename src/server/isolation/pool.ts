import { type Decoder, type DecoderOptions, startDecoder } from './decoder.js';
import type { Reply, Work } from './messages.js';

/** Decoder processes, as many as may work at once and a warm spare to take the place of a killed one. */
export interface DecoderPool {
  /** Does one piece of work in a process of its own; see {@link Decoder.run}. Waits when none is ready. */
  run(work: Work, signal: AbortSignal): Promise<Reply>;
  /** Processes that wait for work. */
  idle(): number;
  /** Process ids of all that run. */
  pids(): readonly number[];
  /** Resolves once the first process is ready. */
  ready(): Promise<void>;
  /** Kills all processes; resolves when they have ended. */
  close(): Promise<void>;
}

/** Starts `size` decoder processes and a spare. A process that ends is replaced, more slowly if it never came to work. */
export function decoderPool(size: number, options: DecoderOptions): DecoderPool {
  const all = new Set<Decoder>();
  const idle: Decoder[] = [];
  const waiting: ((decoder: Decoder) => void)[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let stillborn = 0;
  let closed: (() => void) | undefined;

  const offer = (decoder: Decoder): void => {
    const next = waiting.shift();
    if (next === undefined) idle.push(decoder);
    else next(decoder);
  };
  const start = (): void => {
    let ready = false;
    const decoder = startDecoder(options, {
      onReady(it) {
        ready = true;
        stillborn = 0;
        offer(it);
      },
      onEnd(it) {
        all.delete(it);
        if (idle.includes(it)) idle.splice(idle.indexOf(it), 1);
        if (closed !== undefined) return all.size === 0 ? closed() : undefined;
        stillborn = ready ? 0 : stillborn + 1;
        later(start, stillborn === 0 ? 0 : Math.min(5000, 100 * 2 ** stillborn));
      },
    });
    all.add(decoder);
  };
  const later = (act: () => void, ms: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (closed === undefined) act();
    }, ms);
    timers.add(timer);
  };
  const taken = (signal: AbortSignal): Promise<Decoder> =>
    new Promise((resolve, reject) => {
      const decoder = idle.shift();
      if (decoder !== undefined) return resolve(decoder);
      const take = (found: Decoder): void => {
        signal.removeEventListener('abort', abort);
        resolve(found);
      };
      const abort = (): void => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      waiting.push(take);
      signal.addEventListener('abort', abort, { once: true });
    });

  for (let count = 0; count < size + 1; count += 1) start();
  return {
    async run(work, signal) {
      signal.throwIfAborted();
      const decoder = await taken(signal);
      try {
        return await decoder.run(work, signal);
      } finally {
        // one that was killed or died is replaced when its end is told
        if (all.has(decoder) && !decoder.ended()) offer(decoder);
      }
    },
    idle: () => idle.length,
    pids: () => [...all].flatMap(({ pid }) => pid ?? []),
    async ready() {
      const decoder = await taken(new AbortController().signal);
      offer(decoder);
    },
    close: () =>
      new Promise((resolve) => {
        closed = resolve;
        for (const timer of timers) clearTimeout(timer);
        for (const decoder of all) decoder.kill();
        if (all.size === 0) resolve();
      }),
  };
}
