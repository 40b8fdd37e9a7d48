import * as z from 'zod';
import { fitMeans, fittedShape } from './fit.js';
import { operation } from './operation.js';
import { colour, KERNELS, POSITIONS, side } from './params.js';

const params = z
  .strictObject({
    width: side('target width in pixels').optional(),
    height: side('target height in pixels').optional(),
    fit: z
      .enum(['inside', 'cover', 'contain', 'fill', 'outside'])
      .default('inside')
      .describe('how the picture meets the box'),
    position: z
      .enum(POSITIONS)
      .default('centre')
      .describe('what cover keeps, and where contain puts the picture'),
    background: colour('colour around a contained picture').optional(),
    kernel: z.enum(KERNELS).default('lanczos3').describe('resampling kernel'),
    enlarge: z.boolean().default(false).describe('let small pictures grow'),
  })
  .refine((given) => given.width !== undefined || given.height !== undefined, {
    error: 'expected a width, a height or both, received neither',
  });

/** Resizes to a width, a height or both. */
export const resize = operation({
  name: 'resize',
  summary: 'Resize to a width, a height or both',
  phase: 'size',
  params,
  examples: [
    { width: 800 },
    { height: 600, enlarge: true },
    { width: 400, height: 400, fit: 'cover', position: 'attention' },
  ],
  slug: ({ width, height }) => `resize-${[width ?? '', height ?? ''].join('x').replace(/x$/, '')}`,
  shape: (shape, params) => fittedShape(shape, params),
  means: (shape, params) => fitMeans(shape, params),
});
