import { expected, ImgtoolError } from '../../errors.js';
import { OPERATIONS } from '../../operations/index.js';
import { nearest } from '../../operations/nearest.js';
import type { Operation, Phase } from '../../operations/operation.js';
import { resize } from '../../operations/resize.js';
import { outputSchema, parseRecipe, type Recipe, type RecipeInput } from '../../recipe.js';
import { fromTexts, parametersOf } from '../../surface/parameters.js';
import { parseStep } from '../../surface/step-text.js';

type RawStep = { op: string } & Record<string, unknown>;

/**
 * The recipe that a query asks for: steps as repeated `op=`, or else flat (`thumb=100`, `width=800`, `rotate=90`,
 * `mean.rounding=floor`), which has one fixed order: crop, size, turn, filter, colour. Keys of `other` are left alone.
 * Throws E_USAGE for keys that are unknown, doubled or do not go together, E_RECIPE for their values.
 */
export function recipeFromQuery(query: URLSearchParams, other: readonly string[] = []): Recipe {
  return parseRecipe(recipeInputFromQuery(query, other));
}

/** The same, before the recipe is checked as a whole. */
export function recipeInputFromQuery(query: URLSearchParams, other: readonly string[] = []): RecipeInput {
  const given = new Map<string, string>();
  for (const [key, value] of query) {
    if (key === 'op' || other.includes(key)) continue;
    checkKey(key, given, other);
    given.set(key, value);
  }
  const steps = stepsFrom(query.getAll('op'), given);
  const frames = given.get('frames');
  const autoOrient = given.get('autoOrient');
  return {
    steps,
    ...(frames !== undefined && { frames: /^\d+$/.test(frames) ? Number(frames) : (frames as 'all') }),
    ...(autoOrient !== undefined && { autoOrient: !['false', '0', 'no', 'off'].includes(autoOrient) }),
    outputs: [fromTexts(outputSchema, Object.fromEntries(own(given, OUTPUT_KEYS)), 'output')],
  };
}

/** What a query may say beside steps, in the order of the docs. */
export const OUTPUT_KEYS: readonly string[] = parametersOf(outputSchema).map(({ name }) => name);

/** Keys of the size step that are written without its name. */
export const SIZE_KEYS: readonly string[] = parametersOf(resize.params)
  .map(({ name }) => name)
  .filter((name) => !OUTPUT_KEYS.includes(name));

/** Keys of the recipe as a whole. */
export const RECIPE_KEYS: readonly string[] = ['frames', 'autoOrient'];

/** The flat key of an operation. */
export function flatKey(operation: Operation): string {
  return operation.name === 'thumbnail' ? 'thumb' : operation.name;
}

/** The order in which flat steps run, whatever order they are written in. */
const PHASES: readonly Phase[] = ['crop', 'size', 'turn', 'filter', 'colour'];

function checkKey(key: string, given: ReadonlyMap<string, string>, other: readonly string[]): void {
  if (given.has(key)) throw new ImgtoolError('E_USAGE', expected(`${key} once`, 'it twice'), { field: key });
  const names = [...OUTPUT_KEYS, ...SIZE_KEYS, ...RECIPE_KEYS, ...OPERATIONS.map(flatKey)];
  if (names.includes(key.split('.')[0] ?? '')) return;
  const known = ['op', ...names, ...other];
  const near = nearest(key, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new ImgtoolError('E_USAGE', `${expected(`one of ${known.join(', ')}`, key)}${hint}`, { field: key });
}

function stepsFrom(texts: readonly string[], given: ReadonlyMap<string, string>): RawStep[] {
  const flat = PHASES.flatMap((phase) => {
    const steps = OPERATIONS.filter((operation) => operation.phase === phase).flatMap((operation) =>
      flatStep(operation, given),
    );
    if (phase === 'size' && steps.length > 1) {
      const names = steps.map(({ op }) => op).join(' and ');
      throw new ImgtoolError('E_USAGE', expected('one way to size', names), {
        field: steps[1]?.op ?? 'size',
      });
    }
    return steps;
  });
  if (texts.length === 0) return flat;
  const [rival] = flat;
  if (rival !== undefined) {
    throw new ImgtoolError('E_USAGE', expected('op= or flat parameters', `op= and ${rival.op}`), {
      field: 'op',
    });
  }
  return texts.map(parseStep);
}

/** The step that the flat keys ask of this operation; none, or one. */
function flatStep(operation: Operation, given: ReadonlyMap<string, string>): RawStep[] {
  const key = flatKey(operation);
  const main = given.get(key);
  const dotted = [...given].flatMap(([name, text]) =>
    name.startsWith(`${key}.`) ? [[name.slice(key.length + 1), text] as const] : [],
  );
  const plain = sizeTexts(operation, given);
  if ((main === undefined && dotted.length + plain.length === 0) || isOff(main)) return [];
  const params = { ...fromTexts(operation.params, Object.fromEntries([...plain, ...dotted]), key) };
  return [{ ...params, ...mainParams(operation, main, params), op: operation.name }];
}

/** `width`, `fit` and the like belong to the size step that is named, or else to `resize`. */
function sizeTexts(operation: Operation, given: ReadonlyMap<string, string>): (readonly [string, string])[] {
  if (operation.phase !== 'size') return [];
  const named = OPERATIONS.some(
    (other) => other.phase === 'size' && other !== resize && given.has(flatKey(other)),
  );
  const owns = named ? given.has(flatKey(operation)) : operation === resize;
  return owns ? own(given, SIZE_KEYS) : [];
}

function isOff(text: string | undefined): boolean {
  return text === 'false' || text === '0' || text === 'off' || text === 'no';
}

/** `rotate=90`: the text is for the first parameter that takes it; `grayscale` alone, or on, sets none. */
function mainParams(
  operation: Operation,
  text: string | undefined,
  params: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (text === undefined || ['', 'true', 'on', 'yes'].includes(text)) return {};
  if (text.includes('=')) {
    const { op: _, ...written } = parseStep(`${operation.name}:${text}`);
    return written;
  }
  let refusal: unknown;
  for (const { name } of parametersOf(operation.params)) {
    const value = fromTexts(operation.params, { [name]: text }, flatKey(operation));
    try {
      operation.bind({ ...params, ...value }, flatKey(operation));
      return value;
    } catch (thrown) {
      refusal ??= thrown;
    }
  }
  throw refusal;
}

function own(given: ReadonlyMap<string, string>, keys: readonly string[]): [string, string][] {
  return [...given].filter(([key]) => keys.includes(key));
}
