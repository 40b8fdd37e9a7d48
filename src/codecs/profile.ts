import type { Shape } from '../operations/operation.js';

/** Whether pixels of this shape can wear an ICC profile: its data colour space (ICC.1, 7.2.8) must be theirs. */
export function fitsProfile(icc: Uint8Array | undefined, shape: Shape): boolean {
  if (icc === undefined) return false;
  const space = Buffer.from(icc.subarray(16, 20)).toString('latin1');
  return space === (shape.channels < 3 ? 'GRAY' : 'RGB ');
}
