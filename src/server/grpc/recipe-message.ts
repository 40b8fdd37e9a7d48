import { expected, ImgtoolError } from '../../errors.js';
import { operationNamed } from '../../operations/index.js';
import { outputSchema, parseRecipe, type Recipe } from '../../recipe.js';
import { fromTexts } from '../../surface/parameters.js';
import type { RecipeMessage } from './messages.js';
import { TOO_LONG } from './small-recipes.js';

/** The recipe of a message: its JSON, or its steps and outputs with parameters as text. Throws E_RECIPE and E_USAGE. */
export function recipeFromMessage(message: RecipeMessage | null | undefined): Recipe {
  if (message === null || message === undefined) return parseRecipe({});
  if (message === TOO_LONG)
    throw new ImgtoolError('E_USAGE', expected('at most 64 KiB of recipe', 'more'), {
      stage: 'plan',
      field: 'recipe',
    });
  const { json, steps, outputs } = message;
  if (json !== '') {
    if (steps.length + outputs.length > 0)
      throw new ImgtoolError('E_USAGE', expected('json or steps', 'both'), {
        stage: 'plan',
        field: 'recipe',
      });
    return parseRecipe(parsed(json));
  }
  return parseRecipe({
    steps: steps.map(({ op, params }, index) => {
      const { name, params: schema } = operationNamed(op, `steps.${index}.op`);
      return { ...fromTexts(schema, params, `steps.${index}`), op: name };
    }),
    ...(outputs.length > 0 && {
      outputs: outputs.map(({ params }, index) => fromTexts(outputSchema, params, `outputs.${index}`)),
    }),
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ImgtoolError('E_USAGE', expected('JSON', 'something else'), {
      stage: 'plan',
      field: 'recipe.json',
      cause,
    });
  }
}
