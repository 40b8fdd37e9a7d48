import type { Samples } from './pixels.js';

/** How a box mean is taken. */
export interface MeanParams {
  /** Side of the window in pixels: odd, 1 to 1001. */
  readonly size: number;
  /** `nearest`: halves go up. */
  readonly rounding: 'nearest' | 'floor';
}

/** One move of the window down to the next row; all rows have the picture's width. */
export interface Move {
  /** The row that enters at the bottom, zeros below the picture. */
  readonly incoming: Samples;
  /** The row that leaves at the top, zeros above the picture. */
  readonly outgoing: Samples;
  /** The row the means belong to. */
  readonly centre: Samples;
  readonly target: Samples;
  /** Rows of the picture inside the window, at least 1. */
  readonly rows: number;
}

/**
 * A window as wide as the picture that moves down it. It keeps one sum for each column and channel, and a row's
 * means come from one running sum over those, so a pixel costs the same whatever the window.
 */
export interface Window {
  /** Takes a row in without writing, before the first move. */
  add(row: Samples): void;
  next(move: Move): void;
}

/** What every row of a picture shares. */
export interface Horizontal {
  /** Columns the window reaches to each side, never past the picture. */
  readonly reach: number;
  /** For each x, 1 / the number of columns inside the window. */
  readonly perColumn: Float64Array;
  /** What is added to a mean before its fraction is cut off; see {@link horizontal}. */
  readonly bias: number;
}

/**
 * The part of the arithmetic that is the same for all rows. A mean is cut off from
 * `sum * perColumn[x] * perRow + bias`, with bias = (0.5 to round to nearest, 0 to floor) + q, q = 0.25 / size².
 *
 * That is exact. Let n = columns * rows <= size² be the count. sum / n (+ 0.5) is a multiple of 1 / 2n, so it is an
 * integer or at least 1 / 2n below the next one, and q lies at least 0.25 / size² >= 0.25 / 1001² > 2.4e-7 away from
 * both. The two reciprocals, their two products and the addition each err by at most 2^-53 of a value below
 * 65537, 4e-11 together, so rounding errors can never carry the result over an integer. Sums are integers
 * up to 65535 * 1001² < 2^53: no error there.
 */
export function horizontal(width: number, { size, rounding }: MeanParams): Horizontal {
  const reach = Math.min((size - 1) / 2, width - 1);
  const perColumn = Float64Array.from(
    { length: width },
    (_, x) => 1 / (Math.min(width - 1, x + reach) - Math.max(0, x - reach) + 1),
  );
  return { reach, perColumn, bias: (rounding === 'nearest' ? 0.5 : 0) + 0.25 / (size * size) };
}
