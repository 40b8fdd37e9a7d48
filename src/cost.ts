import type { Header } from './codecs/header.js';
import type { Pass } from './plan.js';

/**
 * How many decoded pixels a picture is likely to hold in memory at once, for the pixel budget. Baseline pictures
 * stream through one pass in strips; progressive JPEG and interlaced PNG hold themselves whole, and so does
 * every further pass, once on its way in and once on its way out.
 */
export function decodeCost(header: Header, passes: readonly Pass[], frames: number): number {
  const pixels = header.stored.width * header.stored.height * frames;
  const whole =
    header.progressive || header.format === 'avif' || header.format === 'webp' || frames > 1 || turns(passes);
  const entry = whole ? pixels : pixels * STREAMED;
  const results = passes.slice(0, -1).map(({ after }) => after.width * after.height * frames * 2);
  return Math.ceil(Math.max(entry, ...results));
}

/** The share of a picture that a streaming decoder holds. */
const STREAMED = 1 / 8;

function turns(passes: readonly Pass[]): boolean {
  return passes.some((pass) => pass.kind === 'draw' && pass.steps.some((step) => step.setting === 'rotate'));
}
