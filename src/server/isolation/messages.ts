import type { Format } from '../../codecs/extensions.js';
import type { ErrorCode, Stage } from '../../errors.js';
import type { Facts } from '../../facts.js';
import type { Limits } from '../../limits.js';
import type { RecipeInput } from '../../recipe.js';

/** What a decoder process is told to do with one picture. */
export type Work = ProcessWork | { readonly kind: 'size'; readonly path: string };

/** A recipe to run over the file at `path`. */
export interface ProcessWork {
  readonly kind: 'process';
  readonly path: string;
  readonly recipe: RecipeInput;
  readonly limits: Limits;
  /** Pixels that may be held in memory; a picture that needs more is handed back undecoded. */
  readonly allowance: number;
  /** Where results go that are too large to be sent as bytes; see {@link resultPath}. */
  readonly results: string;
}

/** The file of a large result. */
export function resultPath(results: string, index: number): string {
  return `${results}-${index}`;
}

/** One result; a large one lies in a file that is the receiver's to remove. */
export interface SentImage {
  readonly index: number;
  readonly format: Format;
  readonly extension: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly content: { readonly bytes: Uint8Array } | { readonly path: string };
}

/** What a decoder process answers. */
export type Reply =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'made';
      readonly images: readonly SentImage[];
      readonly passes: number;
      readonly notes: readonly string[];
      /** Pixels of the input as stored, all frames together. */
      readonly pixels: number;
    }
  | { readonly kind: 'sized'; readonly facts: Facts }
  | { readonly kind: 'bulky'; readonly pixels: number }
  | {
      readonly kind: 'failed';
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly stage?: Stage;
        readonly field?: string;
      };
    };

/** An answer on its way; `spent` says that the process holds more memory than it should start its next picture with. */
export type Sent = Reply & { readonly spent?: boolean };
