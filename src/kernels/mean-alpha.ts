import { type Horizontal, horizontal, type MeanParams, type Move, type Window } from './mean-window.js';
import type { Samples } from './pixels.js';

/**
 * The window over a picture with alpha: alpha is the plain mean, a colour is sum(colour * alpha) / sum(alpha).
 * Where the whole window is transparent a pixel keeps its own colour.
 */
export function alphaWindow(width: number, channels: 2 | 4, params: MeanParams): Window {
  const shape = horizontal(width, params);
  const sums = new Float64Array((width + 2 * shape.reach + 1) * channels);
  const first = (shape.reach + 1) * channels;
  const state: State = {
    ...shape,
    width,
    channels,
    half: params.rounding === 'nearest' ? 0.5 : 0,
    sums,
    columns: sums.subarray(first, first + width * channels),
    alphas: new Float64Array(width),
  };
  return {
    add: (row) => weigh(state, row, 1),
    next: (move) => {
      weigh(state, move.incoming, 1);
      weigh(state, move.outgoing, -1);
      writeAlpha(state, move);
      for (let channel = 0; channel < channels - 1; channel++) writeColour(state, move, channel);
    },
  };
}

interface State extends Horizontal {
  readonly width: number;
  readonly channels: 2 | 4;
  readonly half: number;
  /** `columns` with zeros on both sides, so that a window past the border needs no case of its own. */
  readonly sums: Float64Array;
  /** The sums of colour * alpha, and of alpha, down each column inside the window. */
  readonly columns: Float64Array;
  /** Sum of alpha over the window at each x of the row. */
  readonly alphas: Float64Array;
}

/** Adds a row to the column sums (`sign` 1) or takes it out (-1). */
function weigh({ columns, channels }: State, row: Samples, sign: 1 | -1): void {
  for (let at = 0; at < row.length; at += channels) {
    const alphaAt = at + channels - 1;
    const alpha = sign * (row[alphaAt] ?? 0);
    for (let i = at; i < alphaAt; i++) columns[i] = (columns[i] ?? 0) + (row[i] ?? 0) * alpha;
    columns[alphaAt] = (columns[alphaAt] ?? 0) + alpha;
  }
}

function writeAlpha(state: State, { target, rows }: Move): void {
  const { sums, alphas, perColumn, width, channels, reach, bias } = state;
  const ahead = (2 * reach + 1) * channels;
  const perRow = 1 / rows;
  let at = channels - 1;
  let sum = entered(state, at);
  for (let x = 0; x < width; x++) {
    sum += (sums[at + ahead] ?? 0) - (sums[at] ?? 0);
    alphas[x] = sum;
    target[at] = sum * (perColumn[x] ?? 0) * perRow + bias;
    at += channels;
  }
}

/**
 * One colour of a row: (sum + alpha / 2) / alpha cut off, or sum / alpha to floor. Exact, by true division only: at
 * 16 bits and window 1001, sum < 4.31e15 < 2^52, so the numerator is exact, halves included; the quotient is an
 * integer or at least 1 / 2alpha > 7.6e-12 below the next one, and division errs by at most 3.7e-12 (2^-38) below
 * 65536. A reciprocal would err by three times that.
 */
function writeColour(state: State, { target, centre }: Move, channel: number): void {
  const { sums, alphas, half, width, channels, reach } = state;
  const ahead = (2 * reach + 1) * channels;
  let at = channel;
  let sum = entered(state, channel);
  for (let x = 0; x < width; x++) {
    sum += (sums[at + ahead] ?? 0) - (sums[at] ?? 0);
    const alpha = alphas[x] ?? 0;
    target[at] = alpha > 0 ? (sum + half * alpha) / alpha : (centre[at] ?? 0);
    at += channels;
  }
}

/** The sum over the columns right of the border that the first pixel's window holds, but for its last one. */
function entered({ columns, channels, reach }: State, channel: number): number {
  let sum = 0;
  for (let i = channel; i < reach * channels; i += channels) sum += columns[i] ?? 0;
  return sum;
}
