import type { Sharp } from 'sharp';
import * as z from 'zod';
import { luminance, weighted } from '../kernels/gray.js';
import { type Means, operation, type Shape } from './operation.js';
import { ORDER } from './order.js';

/**
 * Weights of R, G and B on the encoded values. rec601 is ITU-R BT.601 in the fixed point of Pillow's `L`
 * (19595, 38470 and 7471 of 65536); rec709 is ITU-R BT.709, likewise of 65536.
 */
const WEIGHTS = { rec601: [19_595, 38_470, 7_471], rec709: [13_933, 46_871, 4_732] } as const;

const params = z.strictObject({
  method: z
    .enum(['rec601', 'rec709', 'luminance'])
    .default('rec601')
    .describe('rec601 and rec709 weigh the encoded values, luminance the light'),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(1)
    .describe('channels of the result: 1, or 3 equal ones'),
});

/** Turns colours into grays. */
export const grayscale = operation({
  name: 'grayscale',
  summary: 'Turn colours into grays',
  phase: 'colour',
  params,
  examples: [{}, { method: 'luminance' }, { channels: 3 }],
  slug: ({ method }) => (method === 'rec601' ? 'grayscale' : `grayscale-${method}`),
  shape: (shape, { channels }) => ({
    ...shape,
    channels: (channels + (hasAlpha(shape) ? 1 : 0)) as Shape['channels'],
  }),
  means(shape, { method, channels }) {
    if (shape.channels < 3) return channels === 3 ? CONVERSION : undefined;
    if (method === 'luminance') return channels === 3 || hasAlpha(shape) ? byLight(channels) : CONVERSION;
    return shape.depth === 16
      ? { kernel: async (pixels) => weighted(pixels, WEIGHTS[method], channels) }
      : recombined(shape, WEIGHTS[method]);
  },
});

function hasAlpha(shape: Shape): boolean {
  return shape.channels % 2 === 0;
}

/** The weighted sum as sharp's recomb, exact: a 16-bit fraction fits its float, and a half added before it truncates rounds. */
function recombined(shape: Shape, weights: readonly [number, number, number]): Means {
  const row = weights.map((weight) => weight / 65_536) as [number, number, number];
  return {
    places: [ORDER.recomb],
    setting: 'recomb',
    draw: (image) =>
      hasAlpha(shape) ? recombAlpha(image, row) : image.recomb([row, row, row]).linear(1, 0.5),
  };
}

function recombAlpha(image: Sharp, row: readonly [number, number, number]): Sharp {
  const [r, g, b] = row;
  return image
    .recomb([
      [r, g, b, 0],
      [r, g, b, 0],
      [r, g, b, 0],
      [0, 0, 0, 1],
    ])
    .linear([1, 1, 1, 1], [0.5, 0.5, 0.5, 0]);
}

/** The shape's number of channels asks for it; light is weighed by sharp's own conversion (CIE Y of linear sRGB, encoded again). */
const CONVERSION: Means = { places: [ORDER.colourspace], setting: 'colour', draw: (image) => image };

/** Three equal channels, or one and alpha, cannot be asked of sharp: pixels between two passes lose one or the other. */
function byLight(channels: 1 | 3): Means {
  return { kernel: async (pixels) => luminance(pixels, channels) };
}
