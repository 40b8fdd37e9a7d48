import type { Sharp } from 'sharp';
import type { StepContext } from './operation.js';
import { hex, isClear } from './params.js';

/** The colour of the areas a step opens, for sharp. */
export function openedColour(context: StepContext, background: string | undefined): string {
  return hex(background ?? context.background);
}

/** 16-bit pictures that get alpha from a clear background: sharp makes opaque 255 times 256, which is not quite. */
export function withFullAlpha(
  image: Sharp,
  { shape, ...context }: StepContext,
  background: string | undefined,
): Sharp {
  const gets = shape.depth === 16 && shape.channels % 2 === 1 && isClear(background ?? context.background);
  if (!gets) return image;
  const colours = Array.from({ length: shape.channels }, () => 1);
  const none = colours.map(() => 0);
  return image.linear([...colours, 65_535 / 65_280], [...none, 0.5]);
}
