import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expected } from '../errors.js';
import { type FindContext, problem } from './found.js';
import { isAbsent, unreadable } from './unreadable.js';

/** What a literal path leads to; `failed` has been reported. */
export type Target = 'file' | 'directory' | 'missing' | 'failed';

/** Looks at a literal path, links followed, and reports whatever is neither a file nor a directory. */
export async function look(path: string, name: string, context: FindContext): Promise<Target> {
  try {
    return kindOf(await stat(path), name, context);
  } catch (thrown) {
    if (isAbsent(thrown) && !(await isLink(path))) return 'missing';
    context.problem(unreadable(thrown, name));
    return 'failed';
  }
}

/** The same key for the same entry of a directory however it is reached: its folder's real path and its own name. */
export function entryKeys(): (path: string) => Promise<string> {
  // files come grouped by folder, so one remembered folder spares most look-ups
  let folder: string | undefined;
  let real = '';
  return async (path) => {
    const parent = dirname(path);
    if (parent !== folder) {
      real = await realpath(parent).catch(() => parent);
      folder = parent;
    }
    return join(real, basename(path));
  };
}

function kindOf(stats: Stats, name: string, context: FindContext): Target {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  context.problem(problem('E_NOT_A_FILE', expected('a file or a directory', kindName(stats)), name));
  return 'failed';
}

function kindName(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}
