import { setImmediate } from 'node:timers/promises';
import { toImgtoolError } from '../errors.js';
import { dropStopped, runBand } from './band-pool.js';
import { type KernelName, type KernelParams, kernels } from './kernels.js';
import { blankSamples, type Pixels, sharedSamples } from './pixels.js';

export { closeBands } from './band-pool.js';

/** How a kernel is run; no choice here changes the bytes. */
export interface BandOptions {
  /** Bands side by side, default 1: on the calling thread, giving way to other work every few milliseconds. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs a kernel over a picture, into a new picture of the same shape and depth. With several threads the result lies
 * in shared memory, and so does the source: it is copied there first, unless that is where it is. Rejects with the
 * signal's own ImgtoolError, or `E_CANCELLED`, once nothing writes any more.
 */
export async function inBands<N extends KernelName>(
  kernel: N,
  source: Pixels,
  params: KernelParams[N],
  { threads = 1, signal }: BandOptions = {},
): Promise<Pixels> {
  refuseAborted(signal);
  const bands = Math.min(threads, source.height, Math.floor(source.data.length / SMALLEST_BAND));
  return bands < 2 ? here(kernel, source, params, signal) : apart(kernel, source, params, bands, signal);
}

/** Samples a thread must have to be worth waking: about 4 ms of work. */
const SMALLEST_BAND = 1 << 21;

async function here<N extends KernelName>(
  kernel: N,
  source: Pixels,
  params: KernelParams[N],
  signal: AbortSignal | undefined,
): Promise<Pixels> {
  const data = blankSamples(source.data, source.data.length);
  const slices = kernels[kernel](source, data, 0, source.height, params);
  while (!slices.next().done) {
    await setImmediate();
    refuseAborted(signal);
  }
  return { ...source, data };
}

async function apart<N extends KernelName>(
  kernel: N,
  source: Pixels,
  params: KernelParams[N],
  bands: number,
  signal: AbortSignal | undefined,
): Promise<Pixels> {
  const data = sharedSamples(source.data, source.data.length);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const job = { kernel, params, source: shared(source), target: data, stop };
  const cancel = (): void => {
    Atomics.store(stop, 0, 1);
    dropStopped();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await allDone(splitRows(source.height, bands).map((rows) => runBand({ ...job, ...rows }, bands)));
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  refuseAborted(signal);
  return { ...source, data };
}

/** Rows `0` to `height` in `bands` runs as even as can be. */
function splitRows(height: number, bands: number): { fromRow: number; toRow: number }[] {
  const edge = (band: number): number => Math.round((height * band) / bands);
  return Array.from({ length: bands }, (_, band) => ({ fromRow: edge(band), toRow: edge(band + 1) }));
}

function shared(source: Pixels): Pixels {
  if (source.data.buffer instanceof SharedArrayBuffer) return source;
  const data = sharedSamples(source.data, source.data.length);
  data.set(source.data);
  return { ...source, data };
}

/** Waits for all, then throws the first failure: no thread writes into the memory any more. */
async function allDone(bands: readonly Promise<void>[]): Promise<void> {
  for (const band of await Promise.allSettled(bands)) {
    if (band.status === 'rejected') throw band.reason;
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw toImgtoolError(signal.reason, 'E_CANCELLED', { stage: 'process' });
}
