import * as z from 'zod';
import { expected, ImgtoolError } from './errors.js';
import { OPERATIONS, operationNamed } from './operations/index.js';
import { describeIssue } from './operations/issues.js';
import type { Step } from './operations/operation.js';
import { colour, DECIMAL, MAX_SIDE, splitSize } from './operations/params.js';

/** The formats a result may have; `keep` is the input's own, `auto` the best that the reader accepts. */
export const OUTPUT_FORMATS = ['keep', 'jpeg', 'png', 'webp', 'avif', 'gif', 'tiff', 'npy', 'auto'] as const;

/** How one result is encoded. */
export const outputSchema = z.strictObject({
  format: z.enum(OUTPUT_FORMATS).default('keep').describe('format of the result; keep is that of the input'),
  within: z
    .union([
      z.int().min(1).max(MAX_SIDE),
      z.string().regex(/^\d{1,5}x\d{1,5}$/, { error: 'a width in pixels, or WxH' }),
    ])
    .refine((size) => typeof size === 'number' || splitSize(size) !== undefined, {
      error: `expected sides from 1 to ${MAX_SIDE}`,
    })
    .optional()
    .describe('width in pixels, or a box as WxH, to fit this result into after all steps; never enlarged'),
  quality: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('quality, 1 to 100; default jpeg 80, webp 80, avif 50; png and gif have none'),
  effort: z.int().min(0).max(10).optional().describe('CPU effort of the encoder, 0 to 10; default avif 4'),
  lossless: z.boolean().optional().describe('lossless WebP or AVIF'),
  progressive: z.boolean().default(false).describe('progressive JPEG, interlaced PNG'),
  metadata: z
    .enum(['safe', 'none', 'all'])
    .default('safe')
    .describe('safe keeps copyright and artist and drops GPS and the rest; none drops all; all keeps all'),
  keepProfile: z
    .boolean()
    .default(false)
    .describe('keep the colour profile and its pixels instead of converting to sRGB'),
  keepSmaller: z
    .boolean()
    .default(false)
    .describe('write the original bytes when nothing changed and the new file would not be smaller'),
  background: colour('colour under transparent pixels where the format has no alpha').default('white'),
  tensorScale: z
    .union([
      z.enum(['imagenet', '0..1']),
      z.string().regex(new RegExp(`^-?${DECIMAL}/${DECIMAL}$`), { error: 'mean/std such as 127.5/127.5' }),
    ])
    .optional()
    .describe('npy as float32: 0..1, imagenet, or (value - mean) / std'),
  layout: z.enum(['hwc', 'chw']).default('hwc').describe('axis order of npy'),
});

/** Encoder options as checked, every default filled in. */
export type OutputOptions = z.output<typeof outputSchema>;

const stepSchema = z.looseObject({ op: z.string() });

/** A recipe as data, before its steps are checked by their operations. */
export const recipeSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: 'a name of letters, digits, dots and dashes' })
    .optional()
    .describe('name of the result folder'),
  steps: z.array(stepSchema).max(64).default([]).describe('operations, run as written'),
  frames: z
    .union([z.enum(['all', 'first']), z.int().min(1).max(100_000)])
    .default('all')
    .describe('frames or pages to take: all, first, or the first N'),
  autoOrient: z.boolean().default(true).describe('apply the EXIF orientation before the first step'),
  exact: z
    .boolean()
    .default(false)
    .describe('decode anew for each of several outputs, so that each has the bytes it would have alone'),
  outputs: z
    .array(outputSchema)
    .min(1)
    .max(64)
    .optional()
    .describe('the results to make; one that keeps the format when left out'),
});

/** What a caller may write as a recipe. */
export type RecipeInput = z.input<typeof recipeSchema>;

/** A checked recipe: its steps bound to their operations. */
export interface Recipe {
  readonly name: string | undefined;
  readonly steps: readonly Step[];
  readonly frames: 'all' | 'first' | number;
  readonly autoOrient: boolean;
  /** Whether each of several outputs is decoded on its own. */
  readonly exact: boolean;
  readonly outputs: readonly [OutputOptions, ...OutputOptions[]];
}

/** Checks a recipe; throws E_RECIPE naming the field, what was expected and what was received. */
export function parseRecipe(raw: unknown): Recipe {
  const { name, steps, frames, autoOrient, exact, outputs } = checked(recipeSchema, raw);
  const [first, ...rest] = outputs ?? [outputSchema.parse({})];
  return {
    name,
    frames,
    autoOrient,
    exact,
    steps: steps.map(({ op, ...params }, index) =>
      operationNamed(op, `steps.${index}.op`).bind(params, `steps.${index}`),
    ),
    outputs: [first ?? outputSchema.parse({}), ...rest],
  };
}

/** A recipe as plain data: the same recipe parses back from it. */
export function recipeJson(recipe: Recipe): RecipeInput {
  const { name, frames, autoOrient, exact } = recipe;
  return {
    ...(name !== undefined && { name }),
    steps: recipe.steps.map((step) => ({ op: step.name, ...step.params })),
    frames,
    autoOrient,
    exact,
    outputs: [...recipe.outputs],
  };
}

/** The short name of what a recipe does, for the result folder: `thumb-100`, `resize-800_grayscale`. */
export function recipeSlug(recipe: Recipe): string {
  if (recipe.name !== undefined) return recipe.name;
  const slug = recipe.steps.map((step) => step.slug).join('_') || 'convert';
  return slug.length <= 80 ? slug : `${slug.slice(0, 77)}...`;
}

/** The JSON Schema of a recipe, each operation's parameters included. */
export function recipeJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input' }) as {
    properties: Record<string, { items?: unknown }>;
  };
  const variants = OPERATIONS.map((operation) => {
    const { $schema: _, ...params } = z.toJSONSchema(operation.params, { io: 'input' });
    const properties = {
      op: { const: operation.name, description: operation.summary },
      ...params.properties,
    };
    return { ...params, properties, required: ['op', ...(params.required ?? [])] };
  });
  const { steps } = schema.properties;
  if (steps !== undefined) steps.items = { oneOf: variants };
  return schema;
}

function checked<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const result = z.safeParse(schema, raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new ImgtoolError('E_RECIPE', expected('a recipe', raw), { stage: 'plan' });
  const { path, message } = describeIssue(schema, issue, raw);
  throw new ImgtoolError('E_RECIPE', message, {
    stage: 'plan',
    ...(path.length > 0 && { field: path.join('.') }),
  });
}
