import { realpathSync, type Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import { type SpooledInput, standingInput, tooManyBytes } from '../spool.js';

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

/** What lies where a client's path leads. */
export type Place = {
  readonly root: Root;
  /** As clients call it: the root's name, and the way from there with slashes. */
  readonly name: string;
} & (
  | { readonly is: 'file' | 'folder' | 'other' /** Real. */; readonly path: string; readonly facts: Stats }
  | { readonly is: 'missing'; readonly cause: unknown }
);

/**
 * The real path of a file that a client names, relative to a root or by a root's name. Throws E_PERMISSION for what
 * lies outside all roots, whether it exists or not and whatever links lead there, E_NOT_FOUND and E_NOT_A_FILE.
 */
async function fileInRoots(asked: string, roots: readonly Root[]): Promise<{ path: string; facts: Stats }> {
  const place = await placeInRoots(asked, roots);
  if (place.is === 'file') return place;
  if (place.is !== 'missing')
    throw new ImgtoolError('E_NOT_A_FILE', expected('a regular file', 'something else'), { stage: 'read' });
  const { code } = toImgtoolError(place.cause, 'E_READ');
  throw new ImgtoolError(code, expected('an existing file', asked.slice(0, 200)), {
    stage: 'read',
    field: 'src',
  });
}

/** What lies at a path that a client names; throws E_PERMISSION for what lies outside all roots. */
export async function placeInRoots(asked: string, roots: readonly Root[]): Promise<Place> {
  if (asked.includes('\0'))
    throw new ImgtoolError('E_USAGE', expected('a path', 'a NUL in it'), { field: 'src' });
  let missing: Place | undefined;
  for (const { path, root } of roots.flatMap((it) => candidate(asked, it))) {
    const way = relative(root.path, path).split(sep).filter(Boolean);
    const named = { root, name: [root.name, ...way].join('/') };
    try {
      const real = await realpath(path);
      if (!isInside(real, root.path)) throw outside();
      const facts = await stat(real);
      return { ...named, is: kindOf(facts), path: real, facts };
    } catch (thrown) {
      if (thrown instanceof ImgtoolError) throw thrown;
      missing = { ...named, is: 'missing', cause: thrown };
    }
  }
  if (missing === undefined) throw outside();
  return missing;
}

function kindOf(facts: Stats): 'file' | 'folder' | 'other' {
  return facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'other';
}

/** A file in a root as an input; its identity is that of the file as it is now. Throws what {@link fileInRoots} does, and E_LIMIT_BYTES. */
export async function inputInRoots(
  asked: string,
  roots: readonly Root[],
  most: number,
): Promise<SpooledInput> {
  const { path, facts } = await fileInRoots(asked, roots);
  if (facts.size > most) throw tooManyBytes(most);
  return standingInput(path, facts);
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
