import { type MeanParams, meanSlices } from './mean.js';
import type { Pixels, Samples } from './pixels.js';

/** What each kernel that can run in bands takes beside pixels, as data that can be sent to a thread. */
export interface KernelParams {
  readonly mean: MeanParams;
}

/** The name of a kernel. */
export type KernelName = keyof KernelParams;

/**
 * Writes rows `fromRow` up to `toRow` (exclusive) of `target` from `source`, yielding every few milliseconds. The
 * bytes do not depend on how the rows are split.
 */
export type Kernel<P> = (
  source: Pixels,
  target: Samples,
  fromRow: number,
  toRow: number,
  params: P,
) => Generator<undefined, void>;

/** All kernels that can run in bands, by name: a thread is told the name, a function cannot be sent. */
export const kernels: { readonly [N in KernelName]: Kernel<KernelParams[N]> } = {
  mean: meanSlices,
};

/** A band of rows as it is sent to a thread; `source` and `target` lie in shared memory. */
export interface BandJob<N extends KernelName = KernelName> {
  readonly kernel: N;
  readonly params: KernelParams[N];
  readonly source: Pixels;
  readonly target: Samples;
  readonly fromRow: number;
  readonly toRow: number;
  /** One number in shared memory: not 0 asks the thread to stop at the next slice. */
  readonly stop: Int32Array;
}
