import { resolve } from 'node:path';
import type { Config } from '../../src/config.js';
import { expected, ImgtoolError } from '../../src/errors.js';
import type { RecipeDefaults } from '../flags/configured.js';
import { baseRecipe, converts, recipeOf } from '../run.js';
import type { WatchFlags, WatchSettings } from '../watch.js';

/** What is made of pictures when nothing else was asked for. */
const THUMBNAILS = { steps: [{ op: 'thumbnail', size: 100 }] };

/** What the flags and the files they name come to. Throws E_USAGE, E_CONFIG or E_RECIPE. */
export async function settingsFrom({
  flags,
  defaults,
  config,
}: {
  flags: WatchFlags;
  defaults: RecipeDefaults;
  config: Config;
}): Promise<WatchSettings> {
  const sources = (['op', 'recipe', 'preset'] as const).filter((name) => flags[name] !== undefined);
  if (sources.length > 1)
    throw new ImgtoolError(
      'E_USAGE',
      expected('one of --op, --recipe and --preset', sources.map((name) => `--${name}`).join(' and ')),
      { field: '--op' },
    );
  const own = sources.length > 0 || converts(flags);
  const base = own ? await baseRecipe(flags, config) : THUMBNAILS;
  return { flags, recipe: await recipeOf(flags, base, defaults), files: filesOf(flags, config) };
}

/** The recipe file and the config files. */
function filesOf({ recipe }: WatchFlags, { files }: Config): readonly string[] {
  return recipe === undefined ? files : [resolve(recipe), ...files];
}
