import { resolve } from 'node:path';
import { expected, ImgtoolError } from '../../src/errors.js';
import { realWay } from '../../src/io/real.js';
import { recipeKeys } from '../../src/outputs.js';
import type { Recipe } from '../../src/recipe.js';
import { engineVersions } from '../../src/versions.js';
import type { WatchedFolder, WatchWork } from '../../src/watch.js';
import type { BatchFlags } from '../batch-command.js';
import { namingFrom, processFrom } from '../batch-run.js';
import { destinationFrom, type Out, outFrom } from '../destination.js';
import type { WatchFlags, WatchSettings } from '../watch.js';

/** What is done to each picture, and where the results go. Throws E_USAGE for flags that make no sense together. */
export async function workFrom(
  { flags, recipe }: WatchSettings,
  folders: readonly WatchedFolder[],
): Promise<WatchWork> {
  const given = asBatch(flags);
  const out = await outFor(flags, recipe, folders);
  const destination = await destinationFrom(
    out,
    given,
    recipe,
    folders.map(({ path }) => path),
    'make',
  );
  if (destination.kind !== 'folder') throw usage(expected('a folder', `${flags.out}`));
  const inputs = {
    directories: new Map(folders.map(({ argument, path }) => [argument, path])),
    oneRoot: folders.length === 1,
  };
  const naming = namingFrom(out, given, recipe, inputs, destination);
  if (naming.template.uses('index'))
    throw usage(expected('names that stay the same from start to start', '{index}'), '--name');
  return { naming, destination, keepTimes: flags['keep-times'] === true, process: processFrom(given) };
}

/** The same place for the results of another recipe. */
export function withRecipe(
  work: WatchWork,
  settings: WatchSettings,
  folders: readonly WatchedFolder[],
): WatchWork {
  const { flags, recipe } = settings;
  const keys = recipeKeys(recipe, engineVersions(), flags.lenient === true);
  const destination = { ...work.destination, keys };
  const inputs = {
    directories: new Map(folders.map(({ argument, path }) => [argument, path])),
    oneRoot: folders.length === 1,
  };
  const out: Out = { kind: 'folder', path: destination.path };
  return { ...work, destination, naming: namingFrom(out, flags, recipe, inputs, destination) };
}

/** Where results go, as an absolute path: outside of what is watched, or in a folder of its own in there. */
export async function outFor(
  flags: WatchFlags,
  recipe: Recipe,
  folders: readonly WatchedFolder[],
): Promise<Out & { kind: 'folder' }> {
  const out = await outFrom(
    folders.map(({ path }) => path),
    asBatch(flags),
    recipe,
  );
  if (out.kind !== 'folder') throw usage(expected('a folder', `${flags.out}`));
  await refuseWatched(out.path, '--out', folders);
  for (const name of ['done', 'failed'] as const) {
    const given = flags[name];
    if (given !== undefined) await refuseWatched(resolve(given), `--${name}`, folders);
  }
  return out;
}

async function refuseWatched(path: string, field: string, folders: readonly WatchedFolder[]): Promise<void> {
  const real = await realWay(path);
  for (const folder of folders) {
    if ((await realWay(folder.path)) === real)
      throw usage(expected('another folder than the one that is watched', folder.name), field);
  }
}

/** The flags that a batch has besides, as a watch has them: a record is what it lives by, originals stay. */
function asBatch(flags: WatchFlags): BatchFlags {
  return {
    ...flags,
    manifest: true,
    force: false,
    prune: false,
    'in-place': false,
    'dry-run': false,
    async: false,
    'files-from': undefined,
    'on-error': 'continue',
    'max-errors': undefined,
    json: false,
  };
}

function usage(message: string, field = '--out'): ImgtoolError {
  return new ImgtoolError('E_USAGE', message, { stage: 'plan', field });
}
