import * as z from 'zod';
import { mean as meanOf } from '../kernels/mean-filter.js';
import { operation } from './operation.js';

const params = z.strictObject({
  size: z
    .int()
    .min(1)
    .max(1001)
    .default(3)
    .refine((size) => size % 2 === 1, { error: 'expected an odd window, such as 3 or 51' })
    .describe('side of the square window in pixels, odd, up to 1001'),
  rounding: z.enum(['nearest', 'floor']).default('nearest').describe('how the mean becomes a whole number'),
});

/** Replaces each pixel by the mean of the window around it; at borders, of the part inside the picture. */
export const mean = operation({
  name: 'mean',
  summary: 'Smooth with a mean filter',
  phase: 'filter',
  params,
  examples: [{}, { size: 51 }, { size: 5, rounding: 'floor' }],
  slug: ({ size }) => `mean-${size}`,
  shape: (shape) => shape,
  means: (_shape, params) =>
    params.size === 1
      ? undefined
      : {
          kernel: (pixels, { threads, signal }) =>
            meanOf(pixels, params, { threads, ...(signal && { signal }) }),
        },
});
