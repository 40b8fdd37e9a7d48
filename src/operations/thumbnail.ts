import * as z from 'zod';
import { fitMeans, fittedShape } from './fit.js';
import { operation } from './operation.js';
import { MAX_SIDE, splitSize } from './params.js';

const params = z.strictObject({
  size: z
    .union([
      z.int().min(1).max(MAX_SIDE),
      z.string().regex(/^\d{1,5}x\d{1,5}$/, { error: 'WxH such as 200x150' }),
    ])
    .default(100)
    .refine((size) => typeof size === 'number' || splitSize(size) !== undefined, {
      error: `expected sides from 1 to ${MAX_SIDE}`,
    })
    .describe('longest side in pixels, or a box as WxH'),
});

/** Fits a picture inside a small box, never enlarging it. */
export const thumbnail = operation({
  name: 'thumbnail',
  summary: 'Make small pictures that fit inside a box, never enlarged',
  phase: 'size',
  params,
  examples: [{}, { size: 200 }, { size: '320x240' }],
  slug: ({ size }) => `thumb-${size}`,
  shape: (shape, { size }) => fittedShape(shape, boxOf(size)),
  means: (shape, { size }) => fitMeans(shape, boxOf(size)),
});

function boxOf(size: number | string) {
  const box = typeof size === 'number' ? { width: size, height: size } : splitSize(size);
  return { ...box, fit: 'inside', enlarge: false } as const;
}
