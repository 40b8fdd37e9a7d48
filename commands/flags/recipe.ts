import { outputSchema, parseRecipe, type Recipe } from '../../src/recipe.js';
import { givenTo } from './derived.js';

/** A recipe from steps and the flags shared by all operations; what is given on the command line wins over `base`. */
export function recipeFrom(
  steps: readonly ({ op: string } & Record<string, unknown>)[] | undefined,
  flags: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>> = {},
): Recipe {
  const outputs = Array.isArray(base.outputs) ? base.outputs : [{}];
  const encoding = givenTo(outputSchema, flags, 'output');
  return parseRecipe({
    ...base,
    ...(steps !== undefined && { steps }),
    ...(flags.frames !== undefined && { frames: framesFrom(String(flags.frames)) }),
    ...(flags['auto-orient'] === false && { autoOrient: false }),
    outputs: outputs.map((output: unknown) => ({ ...(output as object), ...encoding })),
  });
}

function framesFrom(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
