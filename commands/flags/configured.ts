import { type Config, type ConfigPlace, loadConfig } from '../../src/config.js';
import { expected, ImgtoolError } from '../../src/errors.js';
import { nearest } from '../../src/operations/nearest.js';
import { outputSchema } from '../../src/recipe.js';
import { kebab } from './derived.js';

/** What the parser says of the flags: which were typed, and which stand at their defaults. */
export interface Parsed<F> {
  readonly flags: F;
  readonly metadata: {
    readonly flags: Readonly<Record<string, { readonly setFromDefault?: boolean } | undefined>>;
  };
}

/** The config that holds for a run in the current folder. */
export function currentConfig(): Promise<Config> {
  return loadConfig(currentPlace());
}

/** Where a run in the current folder looks. */
export function currentPlace(): ConfigPlace {
  return { cwd: process.cwd(), env: process.env };
}

/** The flags with what the config says where none was typed. */
export function configured<F extends object>({ flags, metadata }: Parsed<F>, config: Config): F {
  const given = flags as Record<string, unknown>;
  const filled: Record<string, unknown> = {};
  for (const [key, { value }] of Object.entries(config.settings)) {
    if (OF_RECIPES.has(key)) continue;
    const name = kebab(key);
    const typed = given[name] !== undefined && metadata.flags[name]?.setFromDefault !== true;
    if (!typed && !overruled(name, given)) filled[name] = value;
  }
  return { ...flags, ...filled };
}

/** What recipes are read with where they say nothing themselves. */
export interface RecipeDefaults {
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
}

/** The settings that are a recipe's own affair: they hold where neither a flag nor the recipe says otherwise. */
export function recipeDefaults({ settings }: Config): RecipeDefaults {
  const chosen = (keys: Iterable<string>) =>
    Object.fromEntries(
      [...keys].flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key].value]])),
    );
  return { recipe: chosen(WORK_KEYS), output: chosen(Object.keys(outputSchema.shape)) };
}

const WORK_KEYS = ['frames', 'autoOrient'] as const;
const OF_RECIPES: ReadonlySet<string> = new Set([...WORK_KEYS, ...Object.keys(outputSchema.shape)]);

/** A preset's recipe; throws E_USAGE naming the nearest one. */
export function presetFrom(config: Config, name: string): Readonly<Record<string, unknown>> {
  const found = config.presets[name];
  if (found !== undefined) return found.recipe;
  const names = Object.keys(config.presets);
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new ImgtoolError('E_USAGE', `${expected(`a preset (${names.join(', ')})`, name)}${hint}`, {
    stage: 'plan',
    field: 'preset',
  });
}

/** What the command line says in another way: originals in place, or standard output, against a folder. */
function overruled(name: string, given: Readonly<Record<string, unknown>>): boolean {
  if (name === 'out' || name === 'name') return given['in-place'] === true || given.out === '-';
  return false;
}
