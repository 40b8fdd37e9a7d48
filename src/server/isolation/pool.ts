import { ImgtoolError } from '../../errors.js';
import { type Decoder, type DecoderOptions, startDecoder } from './decoder.js';
import type { Reply, Work } from './messages.js';

/** Decoder processes: as many as may work at once, and a warm spare to take the place of a killed one. */
export interface DecoderPool {
  /** Does one piece of work in a process of its own; waits when none is ready. Rejects as {@link Decoder.run} does. */
  run(work: Work, signal: AbortSignal): Promise<Reply>;
  /** Process ids of those that wait for work. */
  idle(): readonly number[];
  /** Process ids of those at work. */
  busy(): readonly number[];
  /** Kills all processes; resolves when they have ended. What waits or runs rejects. */
  close(): Promise<void>;
}

/** Starts `size` decoder processes and a spare. One that ends is replaced, more slowly if it never came to work. */
export function decoderPool(size: number, options: DecoderOptions): DecoderPool {
  const pool = new Pool(options);
  for (let count = 0; count < size + 1; count += 1) pool.start();
  return pool;
}

interface Taker {
  take(decoder: Decoder): void;
  fail(error: unknown): void;
}

class Pool implements DecoderPool {
  private readonly options: DecoderOptions;
  private readonly all = new Set<Decoder>();
  private readonly working = new Set<Decoder>();
  private readonly free: Decoder[] = [];
  private readonly takers: Taker[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private stillborn = 0;
  private onClosed: (() => void) | undefined;
  private closed: Promise<void> | undefined;

  constructor(options: DecoderOptions) {
    this.options = options;
  }

  async run(work: Work, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted();
    const decoder = this.free.shift() ?? (await this.next(signal));
    this.working.add(decoder);
    try {
      return await decoder.run(work, signal);
    } finally {
      this.working.delete(decoder);
      // one that was killed or died is replaced when its end is told
      if (!decoder.ended()) this.offer(decoder);
    }
  }

  idle(): readonly number[] {
    return this.free.flatMap(({ pid }) => pid ?? []);
  }

  busy(): readonly number[] {
    return [...this.working].flatMap(({ pid }) => pid ?? []);
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private end(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    for (const taker of this.takers.splice(0))
      taker.fail(new ImgtoolError('E_CANCELLED', 'the server was closed'));
    return new Promise((resolve) => {
      this.onClosed = resolve;
      for (const decoder of this.all) decoder.kill();
      if (this.all.size === 0) resolve();
    });
  }

  start(): void {
    let born = false;
    const decoder = startDecoder(this.options, {
      onReady: (ready) => {
        born = true;
        this.stillborn = 0;
        this.offer(ready);
      },
      onEnd: (ended) => this.replace(ended, born),
    });
    this.all.add(decoder);
  }

  private replace(ended: Decoder, born: boolean): void {
    this.all.delete(ended);
    const at = this.free.indexOf(ended);
    if (at >= 0) this.free.splice(at, 1);
    if (this.onClosed !== undefined) {
      if (this.all.size === 0) this.onClosed();
      return;
    }
    this.stillborn = born ? 0 : this.stillborn + 1;
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        this.start();
      },
      born ? 0 : Math.min(5000, 100 * 2 ** this.stillborn),
    );
    this.timers.add(timer);
  }

  private offer(decoder: Decoder): void {
    const next = this.takers.shift();
    if (next === undefined) this.free.push(decoder);
    else next.take(decoder);
  }

  private next(signal: AbortSignal): Promise<Decoder> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        signal.removeEventListener('abort', abort);
        const at = this.takers.indexOf(taker);
        if (at >= 0) this.takers.splice(at, 1);
        reject(error);
      };
      const abort = (): void => fail(signal.reason);
      const taker: Taker = {
        take: (decoder) => {
          signal.removeEventListener('abort', abort);
          resolve(decoder);
        },
        fail,
      };
      this.takers.push(taker);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
