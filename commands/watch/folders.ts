import { realpath, stat } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../../src/errors.js';
import type { WatchedFolder } from '../../src/watch.js';
import { shellWord } from '../shell-word.js';

/**
 * The folders to watch. Throws E_NOT_FOUND with the line that makes a missing one, E_USAGE for a file, for folders that
 * lie in one another, and for two of one name, whose results would go into one folder.
 */
export async function foldersFrom(args: readonly string[]): Promise<readonly WatchedFolder[]> {
  if (args.length === 0) throw usage(expected('folders to watch', 'none'));
  const folders = args.map((name, argument) => ({ path: resolve(name), name, argument }));
  for (const { path, name } of folders) await checkFolder(path, name);
  const reals = await Promise.all(folders.map(({ path }) => realpath(path)));
  for (const [index, real] of reals.entries()) {
    const around = reals.findIndex((other, at) => at !== index && (real + sep).startsWith(other + sep));
    if (around >= 0)
      throw usage(expected('folders that do not lie in one another', `${args[index]} and ${args[around]}`));
  }
  const names = folders.map(({ path }) => basename(path));
  const twin = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twin >= 0)
    throw usage(expected('folders of different names', `${names[twin]} twice; watch them apart`));
  return folders;
}

async function checkFolder(path: string, name: string): Promise<void> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (thrown) {
    const { code, cause } = toImgtoolError(thrown, 'E_READ');
    if (code !== 'E_NOT_FOUND') throw toImgtoolError(thrown, 'E_READ', { stage: 'find', file: name });
    const line = `mkdir -p ${shellWord(name)}`;
    throw new ImgtoolError(
      code,
      `${expected('a folder', 'a path that leads to nothing')}; make it with: ${line}`,
      {
        stage: 'find',
        file: name,
        cause,
      },
    );
  }
  if (!isFolder) throw usage(expected('a folder to watch', `the file ${name}`));
}

function usage(message: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', message, { stage: 'plan', field: 'inputs' });
}
