import { realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import { type SpooledInput, tooManyBytes } from '../spool.js';

/** A folder whose files a server may read. */
export interface Root {
  /** What clients call it: the folder as it was given, or a name of its own. */
  readonly name: string;
  /** Its real path, absolute. */
  readonly path: string;
}

/** A root from `DIR` or `NAME=DIR`. Throws E_USAGE when there is no such folder. */
export function rootFrom(text: string): Root {
  const at = text.indexOf('=');
  const folder = text.slice(at + 1);
  try {
    return {
      name: at < 0 ? resolve(folder) : text.slice(0, at).replace(/\/+$/, ''),
      path: realpathSync(folder),
    };
  } catch (cause) {
    throw new ImgtoolError('E_USAGE', expected('an existing folder', folder), { field: 'root', cause });
  }
}

/**
 * The real path of a file that a client names, relative to a root or by a root's name. Throws E_PERMISSION for what
 * lies outside all roots, whether it exists or not and whatever links lead there, E_NOT_FOUND and E_NOT_A_FILE.
 */
export async function pathInRoots(asked: string, roots: readonly Root[]): Promise<string> {
  if (asked.includes('\0'))
    throw new ImgtoolError('E_USAGE', expected('a path', 'a NUL in it'), { field: 'src' });
  const candidates = roots.flatMap((root) => candidate(asked, root));
  if (candidates.length === 0) throw outside();
  let missing: unknown;
  for (const { path, root } of candidates) {
    try {
      const real = await realpath(path);
      if (!isInside(real, root.path)) throw outside();
      if (!(await stat(real)).isFile())
        throw new ImgtoolError('E_NOT_A_FILE', expected('a regular file', 'something else'), {
          stage: 'read',
        });
      return real;
    } catch (thrown) {
      if (thrown instanceof ImgtoolError) throw thrown;
      missing = thrown;
    }
  }
  const { code } = toImgtoolError(missing, 'E_READ');
  throw new ImgtoolError(code, expected('an existing file', asked.slice(0, 200)), {
    stage: 'read',
    field: 'src',
  });
}

/** A file in a root as an input; its identity is that of the file as it is now. Throws as {@link pathInRoots} does, and E_LIMIT_BYTES. */
export async function inputInRoots(
  asked: string,
  roots: readonly Root[],
  most: number,
): Promise<SpooledInput> {
  const path = await pathInRoots(asked, roots);
  const { size, mtimeMs, ino } = await stat(path);
  if (size > most) throw tooManyBytes(most);
  return { path, size, identity: `${path} ${size} ${mtimeMs} ${ino}`, hold: () => () => undefined };
}

function candidate(asked: string, root: Root): { path: string; root: Root }[] {
  const named = asked === root.name || asked.startsWith(`${root.name}/`);
  const way = named ? asked.slice(root.name.length + 1) : asked;
  const path = resolve(root.path, way);
  return isInside(path, root.path) ? [{ path, root }] : [];
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function outside(): ImgtoolError {
  return new ImgtoolError('E_PERMISSION', expected('a path inside --root', 'one outside'), {
    stage: 'read',
    field: 'src',
  });
}
