import * as z from 'zod';
import { openedColour, withFullAlpha } from './opened.js';
import { operation, type Shape } from './operation.js';
import { ORDER } from './order.js';
import { colour } from './params.js';

const params = z
  .strictObject({
    angle: z
      .number()
      .min(-36_000)
      .max(36_000)
      .optional()
      .describe('degrees clockwise; negative turns counter-clockwise'),
    flip: z.boolean().default(false).describe('mirror top to bottom, before turning'),
    flop: z.boolean().default(false).describe('mirror left to right, before turning'),
    background: colour('colour of the corners that a slanted turn opens').optional(),
  })
  .refine((given) => given.angle !== undefined || given.flip || given.flop, {
    error: 'expected an angle in degrees (or flip, or flop), received none',
  });

/** Turns clockwise by any angle, or mirrors. */
export const rotate = operation({
  name: 'rotate',
  summary: 'Turn clockwise by an angle, or mirror',
  phase: 'turn',
  params,
  examples: [
    { angle: 90 },
    { angle: -90 },
    { angle: 12.5, background: 'black' },
    { flip: true },
    { flop: true },
  ],
  slug: ({ angle, flip, flop }) =>
    ['rotate', angle, flip && 'flip', flop && 'flop']
      .filter((part) => part !== undefined && part !== false)
      .join('-'),
  shape: (shape, { angle = 0 }) => turned(shape, normalised(angle)),
  means(_shape, { angle = 0, flip, flop, background }) {
    const degrees = normalised(angle);
    if (degrees === 0 && !flip && !flop) return undefined;
    return {
      setting: 'rotate',
      ...(degrees % 90 !== 0 && { opens: { background } }),
      places: placesOf(degrees),
      draw(image, context) {
        const mirrored = image.flip(flip).flop(flop);
        if (degrees === 0) return mirrored;
        const turned = mirrored.rotate(degrees, { background: openedColour(context, background) });
        return degrees % 90 === 0 ? turned : withFullAlpha(turned, context, background);
      },
    };
  },
});

/** sharp runs a rotation before a resize when it was called before, but a mirror alone always after it. */
function placesOf(degrees: number): readonly [number, ...number[]] {
  if (degrees === 0) return [ORDER.turn];
  return [ORDER.turnFirst, degrees % 90 === 0 ? ORDER.turn : ORDER.rotate];
}

/** An angle as 0 up to, not including, 360 degrees. */
function normalised(angle: number): number {
  return ((angle % 360) + 360) % 360;
}

/**
 * The canvas after a turn: swapped at odd quarter turns, the bounding box of the turned rectangle otherwise, its sides
 * rounded to nearest as libvips does.
 */
function turned(shape: Shape, degrees: number): Shape {
  if (degrees % 180 === 0) return shape;
  if (degrees % 90 === 0) return { ...shape, width: shape.height, height: shape.width };
  const radians = (degrees * Math.PI) / 180;
  const [sine, cosine] = [Math.abs(Math.sin(radians)), Math.abs(Math.cos(radians))];
  return {
    ...shape,
    width: rounded(shape.width * cosine + shape.height * sine),
    height: rounded(shape.width * sine + shape.height * cosine),
  };
}

function rounded(side: number): number {
  return Math.max(1, Math.round(side));
}
