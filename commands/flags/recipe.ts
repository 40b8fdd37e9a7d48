import { outputSchema, parseRecipe, type Recipe } from '../../src/recipe.js';
import type { RecipeDefaults } from './configured.js';
import { givenTo } from './derived.js';

type Flags = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

/** A recipe from steps and the flags shared by all operations; what is given on the command line wins over `base`. */
export function recipeFrom(
  steps: readonly ({ op: string } & Record<string, unknown>)[] | undefined,
  flags: Flags,
  base: Fields = {},
  defaults: RecipeDefaults = { recipe: {}, output: {} },
): Recipe {
  return parseRecipe({
    ...defaults.recipe,
    ...base,
    ...(steps !== undefined && { steps }),
    ...(flags.frames !== undefined && { frames: framesFrom(String(flags.frames)) }),
    ...(flags['auto-orient'] === false && { autoOrient: false }),
    ...(flags.exact === true && { exact: true }),
    outputs: outputsFrom(flags, base, defaults.output),
  });
}

/** The outputs of the recipe, or as many as `--sizes` and `--formats` ask for, each with the encoder flags given. */
function outputsFrom(flags: Flags, base: Fields, defaults: Fields): Fields[] {
  const encoding = givenTo(outputSchema.omit({ within: true }), flags, 'output');
  const given = Array.isArray(base.outputs) ? (base.outputs as Fields[]) : [{}];
  const sized = listed(flags.sizes).map((within) => ({
    within: /^\d+$/.test(within) ? Number(within) : within,
  }));
  const formatted = listed(flags.formats).map((format) => ({ format }));
  return crossed(crossed(given, sized), formatted).map((output) => ({ ...defaults, ...output, ...encoding }));
}

function listed(list: unknown): string[] {
  return typeof list === 'string' ? list.split(',').map((part) => part.trim()) : [];
}

function crossed(outputs: readonly Fields[], variants: readonly Fields[]): Fields[] {
  if (variants.length === 0) return [...outputs];
  return outputs.flatMap((output) => variants.map((variant) => ({ ...output, ...variant })));
}

function framesFrom(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
