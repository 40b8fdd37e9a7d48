import type { Format } from './codecs/extensions.js';
import type { ImgtoolError } from './errors.js';

/** One written result. Sides are those of one frame, in pixels. */
export interface Output {
  /** As the user would name it: relative to the current folder where it lies inside it. */
  readonly path: string;
  readonly format: Format;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Size in bytes. */
  readonly bytes: number;
}

/** What became of one input. */
export type Outcome = { readonly source: string } & (
  | {
      readonly status: 'done';
      readonly outputs: readonly Output[];
      /** Size of the input in bytes. */
      readonly bytes: number;
      /** Wall time in milliseconds. */
      readonly ms: number;
      readonly passes: number;
      readonly notes: readonly string[];
    }
  | {
      readonly status: 'skipped';
      readonly reason: SkipReason;
      readonly outputs: readonly { readonly path: string }[];
    }
  | { readonly status: 'failed'; readonly error: ImgtoolError }
  /** The input is gone: its result was removed, or kept because somebody changed it since. */
  | {
      readonly status: 'pruned';
      readonly action: 'removed' | 'kept';
      readonly outputs: readonly { readonly path: string }[];
    }
);

/** Why an input was left alone: its result is up to date, or there is one and `--if-exists skip` keeps it. */
export type SkipReason = 'unchanged' | 'exists';
