import type { Header } from './codecs/header.js';
import type { Pass } from './plan.js';

/**
 * How many decoded pixels a picture is likely to hold in memory at once, for the pixel budget. Baseline pictures
 * stream through one pass in strips; interlaced PNG and some formats hold themselves whole, progressive JPEG its
 * coefficients too, and so does every further pass, once on its way in and once on its way out.
 */
export function decodeCost(header: Header, passes: readonly Pass[], frames: number): number {
  const pixels = header.stored.width * header.stored.height * frames;
  const entry = pixels * held(header, passes, frames);
  const results = passes.slice(0, -1).map(({ after }) => after.width * after.height * frames * 2);
  return Math.ceil(Math.max(entry, ...results));
}

/** The share of a picture that a streaming decoder holds. */
const STREAMED = 1 / 8;

/** Coefficients take two bytes a sample, where pixels take one; at 4:2:0 that is 1.5 samples a pixel, else up to 3. */
const COEFFICIENTS = 1.5;

function held({ format, progressive }: Header, passes: readonly Pass[], frames: number): number {
  if (format === 'jpeg' && progressive) return COEFFICIENTS;
  return progressive || format === 'avif' || format === 'webp' || frames > 1 || turns(passes) ? 1 : STREAMED;
}

function turns(passes: readonly Pass[]): boolean {
  return passes.some((pass) => pass.kind === 'draw' && pass.steps.some((step) => step.setting === 'rotate'));
}
