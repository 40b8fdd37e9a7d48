import { alphaWindow } from './mean-alpha.js';
import { plainWindow } from './mean-plain.js';
import type { MeanParams, Window } from './mean-window.js';
import { blankSamples, type Pixels, type Samples, viewSamples } from './pixels.js';

export type { MeanParams } from './mean-window.js';

/**
 * Writes rows `fromRow` up to `toRow` (exclusive) of the box mean of `source` into the same rows of `target`,
 * which has the shape and depth of the source. What is outside the picture does not count.
 */
export function meanBand(
  source: Pixels,
  target: Samples,
  fromRow: number,
  toRow: number,
  params: MeanParams,
): void {
  const slices = meanSlices(source, target, fromRow, toRow, params);
  while (!slices.next().done);
}

/** {@link meanBand} in slices of about 2 ms: yields between them, so that the caller can look up or stop. */
export function* meanSlices(
  source: Pixels,
  target: Samples,
  fromRow: number,
  toRow: number,
  params: MeanParams,
): Generator<undefined, void> {
  const { data, width, height, channels } = source;
  const length = width * channels;
  const reach = Math.min((params.size - 1) / 2, height - 1);
  const window = windowFor(source, params);
  const blank = blankSamples(data, length);
  const row = (y: number): Samples => viewSamples(data, y * length, length);
  const perSlice = Math.ceil(SLICE_SAMPLES / length);

  for (let y = Math.max(0, fromRow - reach); y < Math.min(height, fromRow + reach); y++) {
    window.add(row(y));
    if (y % perSlice === 0) yield;
  }
  for (let y = fromRow; y < toRow; y++) {
    const bottom = y + reach;
    const above = y - reach - 1;
    window.next({
      incoming: bottom < height ? row(bottom) : blank,
      outgoing: y > fromRow && above >= 0 ? row(above) : blank,
      centre: row(y),
      target: viewSamples(target, y * length, length),
      rows: Math.min(bottom, height - 1) - Math.max(above, -1),
    });
    if (y % perSlice === 0) yield;
  }
}

const SLICE_SAMPLES = 1 << 20;

function windowFor({ width, channels }: Pixels, params: MeanParams): Window {
  return channels === 2 || channels === 4
    ? alphaWindow(width, channels, params)
    : plainWindow(width, channels, params);
}
