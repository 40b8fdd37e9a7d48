import { type BandOptions, inBands } from './bands.js';
import type { MeanParams } from './mean.js';
import type { Pixels } from './pixels.js';

/**
 * The mean of the in-bounds pixels of an odd window around each pixel, per channel; colours count by their alpha.
 * A new picture of the same shape and depth; the source is left as it is.
 */
export function mean(source: Pixels, params: MeanParams, options?: BandOptions): Promise<Pixels> {
  return inBands('mean', source, params, options);
}
