import * as z from 'zod';
import { type Box, fitMeans, fitted, scaled } from './fit.js';
import { operation, type Shape } from './operation.js';
import { colour, DECIMAL, KERNELS, MAX_SIDE, splitSize } from './params.js';

const FACTOR = new RegExp(`^${DECIMAL}%$`);

const params = z
  .strictObject({
    size: z
      .string()
      .regex(/^\d{1,5}x\d{1,5}$/, { error: 'WxH such as 1024x768' })
      .refine((size) => splitSize(size) !== undefined, { error: `expected sides from 1 to ${MAX_SIDE}` })
      .optional()
      .describe('exact size as WxH; 1024x768 when neither size nor factor is given'),
    factor: z
      .union([z.number().gt(0).max(1000), z.string().regex(FACTOR, { error: 'a percentage such as 50%' })])
      .optional()
      .describe('factor of the shown size: 0.5, or 50%'),
    fit: z
      .enum(['fill', 'inside', 'cover', 'contain'])
      .default('fill')
      .describe(
        'fill stretches, contain letterboxes, cover crops, inside keeps the ratio and may be smaller',
      ),
    background: colour('colour around a contained picture').optional(),
    kernel: z.enum(KERNELS).default('lanczos3').describe('resampling kernel'),
  })
  .refine((given) => given.size === undefined || given.factor === undefined, {
    error: 'expected a size or a factor, received both',
  })
  .refine((given) => given.factor === undefined || ratio(given.factor) > 0, {
    error: 'expected a factor above 0',
  });

/** Brings pictures to one exact size, or scales them by a factor, enlarging too. */
export const scale = operation({
  name: 'scale',
  summary: 'Bring pictures to one exact size, or scale them by a factor',
  phase: 'size',
  params,
  examples: [
    {},
    { factor: 0.5 },
    { factor: '150%' },
    { size: '640x480', fit: 'contain', background: 'black' },
  ],
  slug: ({ size, factor }) => `scale-${factor ?? size ?? '1024x768'}`.replace('%', 'pc'),
  shape: (shape, params) => ({ ...shape, ...fitted(shape, boxFor(shape, params)) }),
  means: (shape, params) => fitMeans(shape, boxFor(shape, params)),
});

function boxFor(
  shape: Shape,
  params: { size?: string | undefined; factor?: number | string | undefined } & Pick<
    Box,
    'fit' | 'background' | 'kernel'
  >,
): Box {
  const { fit, background, kernel } = params;
  if (params.factor !== undefined) {
    return { ...scaled(shape, ratio(params.factor)), fit: 'fill', enlarge: true, kernel };
  }
  return { ...splitSize(params.size ?? '1024x768'), fit, background, kernel, enlarge: true };
}

function ratio(factor: number | string): number {
  return typeof factor === 'number' ? factor : Number(factor.slice(0, -1)) / 100;
}
