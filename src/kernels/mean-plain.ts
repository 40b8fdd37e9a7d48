import { type Horizontal, horizontal, type MeanParams, type Move, type Window } from './mean-window.js';
import type { Samples } from './pixels.js';

/** The window over a picture without alpha: each channel's plain mean. */
export function plainWindow(width: number, channels: 1 | 3, params: MeanParams): Window {
  const shape = horizontal(width, params);
  const padding = (shape.reach + 1) * channels;
  const padded = new Float64Array(padding + width * channels);
  const state: State = {
    ...shape,
    width,
    channels,
    columns: padded.subarray(padding),
    leaving: padded,
    running: new Float64Array(channels),
  };
  return { add: (row) => addRow(state.columns, row), next: (move) => nextRow(state, move) };
}

interface State extends Horizontal {
  readonly width: number;
  readonly channels: 1 | 3;
  /** The sums of the columns inside the window, interleaved like a row. */
  readonly columns: Float64Array;
  /** The same memory, shifted and led by zeros: at a pixel's place lies the column that leaves the window there. */
  readonly leaving: Float64Array;
  /** Each channel's sum over the window, carried from one part of the row to the next. */
  readonly running: Float64Array;
}

function addRow(columns: Float64Array, row: Samples): void {
  for (let i = 0; i < row.length; i++) columns[i] = (columns[i] ?? 0) + (row[i] ?? 0);
}

// A column's sum is brought up to date just before the window's right edge enters it, in the same loop: one trip
// through memory instead of two.
function nextRow(state: State, move: Move): void {
  const { width, channels, reach } = state;
  const perRow = 1 / move.rows;
  const inside = width - reach;
  const left = channels === 3 ? Math.min(reach, inside) : inside;
  enter(state, move);
  slide(state, move, perRow, left);
  if (left < inside) slideColours(state, move, perRow, left, inside);
  leave(state, move, perRow, inside);
}

/** Fills the running sums with the columns right of the first pixel, up to the window's edge. */
function enter({ columns, running, reach, channels }: State, { incoming, outgoing }: Move): void {
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let i = channel; i < reach * channels; i += channels) {
      const column = moveColumn(columns, incoming, outgoing, i);
      sum += column;
    }
    running[channel] = sum;
  }
}

/** Means from the first pixel to `to`, where a column enters at each. */
function slide(state: State, { incoming, outgoing, target }: Move, perRow: number, to: number): void {
  const { columns, leaving, running, perColumn, channels, reach, bias } = state;
  for (let channel = 0; channel < channels; channel++) {
    let sum = running[channel] ?? 0;
    let at = channel;
    let i = reach * channels + channel;
    for (let x = 0; x < to; x++) {
      const column = moveColumn(columns, incoming, outgoing, i);
      sum += column - (leaving[at] ?? 0);
      target[at] = sum * (perColumn[x] ?? 0) * perRow + bias;
      at += channels;
      i += channels;
    }
    running[channel] = sum;
  }
}

/** {@link slide} for three channels from `from` to `to`, where the window is whole: nearly all of most pictures. */
function slideColours(state: State, move: Move, perRow: number, from: number, to: number): void {
  const { columns, leaving, running, reach, bias } = state;
  const { incoming, outgoing, target } = move;
  const scale = (state.perColumn[from] ?? 0) * perRow;
  const ahead = 3 * reach;
  let red = running[0] ?? 0;
  let green = running[1] ?? 0;
  let blue = running[2] ?? 0;
  for (let at = 3 * from; at < 3 * to; at += 3) {
    const i = at + ahead;
    const redColumn = moveColumn(columns, incoming, outgoing, i);
    const greenColumn = moveColumn(columns, incoming, outgoing, i + 1);
    const blueColumn = moveColumn(columns, incoming, outgoing, i + 2);
    red += redColumn - (leaving[at] ?? 0);
    green += greenColumn - (leaving[at + 1] ?? 0);
    blue += blueColumn - (leaving[at + 2] ?? 0);
    target[at] = red * scale + bias;
    target[at + 1] = green * scale + bias;
    target[at + 2] = blue * scale + bias;
  }
  running.set([red, green, blue]);
}

/** Means from `from` to the last pixel, where the window's right edge is past the picture. */
function leave(state: State, { target }: Move, perRow: number, from: number): void {
  const { leaving, running, perColumn, width, channels, bias } = state;
  for (let channel = 0; channel < channels; channel++) {
    let sum = running[channel] ?? 0;
    for (let x = from; x < width; x++) {
      const at = x * channels + channel;
      sum -= leaving[at] ?? 0;
      target[at] = sum * (perColumn[x] ?? 0) * perRow + bias;
    }
  }
}

/** Moves one column's part of the window down a row, and returns its new sum. */
function moveColumn(columns: Float64Array, incoming: Samples, outgoing: Samples, i: number): number {
  const sum = (columns[i] ?? 0) + ((incoming[i] ?? 0) - (outgoing[i] ?? 0));
  columns[i] = sum;
  return sum;
}
