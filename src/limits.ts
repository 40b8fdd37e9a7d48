import type { Header } from './codecs/header.js';
import { expected, ImgtoolError } from './errors.js';
import type { OutputLimits } from './plan.js';

/** Bounds that a picture must keep before any of its pixels is decoded. */
export interface Limits extends OutputLimits {
  /** Pixels of all taken frames together. */
  readonly pixels: number;
  readonly frames: number;
}

/** The command line's limits: wide, since the files are the user's own. */
export const WIDE_LIMITS: Limits = {
  pixels: 268_402_689,
  frames: 100_000,
  outputPixels: 268_402_689,
  outputSide: 65_535,
};

/** Throws E_LIMIT_FRAMES or E_LIMIT_PIXELS when a picture is over a limit. */
export function checkLimits(header: Header, frames: number, limits: Limits): void {
  if (frames > limits.frames) {
    throw new ImgtoolError('E_LIMIT_FRAMES', expected(`at most ${limits.frames} frames`, `${frames}`), {
      stage: 'decode',
    });
  }
  const { width, height } = header.stored;
  const pixels = width * height * frames;
  if (pixels <= limits.pixels) return;
  const counted = frames === 1 ? `${width}x${height}` : `${frames} frames of ${width}x${height}`;
  throw new ImgtoolError(
    'E_LIMIT_PIXELS',
    expected(`at most ${megapixels(limits.pixels)}`, `${counted} (${megapixels(pixels)})`),
    {
      stage: 'decode',
    },
  );
}

function megapixels(pixels: number): string {
  return `${(pixels / 1e6).toFixed(pixels < 1e7 ? 1 : 0)} MP`;
}
