/**
 * The order in which sharp runs what one pipeline was told, whatever order it was told in.
 * Steps share a pass while their places here keep rising; the planner begins a new pass where they do not.
 */
export const ORDER = {
  /** A rotation called before `resize` runs first, and turns shrink-on-load off. */
  turnFirst: 1,
  trim: 2,
  cropFirst: 3,
  resize: 5,
  /** A rotation by a multiple of 90 degrees called after `resize`. */
  turn: 6,
  /** The crop of cover and the canvas of contain come after a turn, though one call asks for both. */
  box: 7,
  rotate: 8,
  crop: 9,
  extend: 10,
  blur: 11,
  sharpen: 12,
  recomb: 13,
  normalise: 14,
  colourspace: 15,
} as const;
