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
  const counted = frames === 1 ? `${width}x${height}` : `${frames} frames of ${width}x${height}`;
  checkPixels(width * height * frames, counted, limits);
}

/** Throws E_LIMIT_PIXELS when pages, each of its own size, are over the limit together. */
export function checkPages(pages: readonly Header[], limits: Limits): void {
  const pixels = pages.reduce((sum, { stored }) => sum + stored.width * stored.height, 0);
  checkPixels(pixels, `${pages.length} pages`, limits);
}

function checkPixels(pixels: number, counted: string, limits: Limits): void {
  if (pixels <= limits.pixels) return;
  const [most, found] = toldApart(limits.pixels, pixels);
  throw new ImgtoolError('E_LIMIT_PIXELS', expected(`at most ${most}`, `${counted} (${found})`), {
    stage: 'decode',
  });
}

/** A limit and what is over it, in as many digits as tell the two apart. */
function toldApart(limit: number, pixels: number): readonly [string, string] {
  if (limit < 1e6) return [`${limit} pixels`, `${pixels} pixels`];
  const told = (count: number, digits: number): string => `${(count / 1e6).toFixed(digits)} MP`;
  let digits = limit < 1e7 ? 1 : 0;
  // with six digits it is the pixels themselves
  while (digits < 6 && told(limit, digits) === told(pixels, digits)) digits += 1;
  return [told(limit, digits), told(pixels, digits)];
}
