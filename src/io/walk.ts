import type { Dirent } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { readsExtension, unreadableTypeOf } from '../codecs/extensions.js';
import { type FindContext, stopIfAborted } from './found.js';
import { kindOf } from './kind.js';
import { listing } from './listing.js';
import { MANIFEST_NAME } from './names.js';
import { Seen } from './seen.js';
import { unreadable } from './unreadable.js';

/** A directory to walk, or a file met on the way: its openable path, and how the user calls it. */
export interface Place {
  readonly path: string;
  readonly name: string;
}

/** A place below a walk's root: relative to it, with `/` separators. */
export interface Walked extends Place {
  readonly relative: string;
}

/**
 * The files under a directory whose extension this build reads, each directory's own files before those of its folders.
 *
 * Every directory is entered once, by real path; `visited` shares that among walks. Links to directories are followed after
 * the real tree, so that a file which lies in the tree keeps its own name and a loop of links adds nothing; a link to
 * a file is taken under its own name. Hidden entries and our own outputs are skipped, the root itself never.
 * Problems are reported, not thrown.
 */
export async function* walk(root: Place, context: FindContext, visited = new Seen()): AsyncGenerator<Walked> {
  const visit: Visit = { context, visited, starts: [{ ...root, relative: '' }] };
  for (const start of visit.starts) yield* walkTree(start, visit);
}

interface Visit {
  readonly context: FindContext;
  readonly visited: Seen;
  /** The root, then every link to a directory as it is met: the list grows while it is walked. */
  readonly starts: Folder[];
}

interface Folder extends Walked {
  /** The real path, known for a folder that was reached through real directories. */
  readonly real?: string;
}

async function* walkTree(start: Folder, visit: Visit): AsyncGenerator<Walked> {
  const stack = [start];
  for (let folder = stack.pop(); folder; folder = stack.pop()) {
    const real = await enter(folder, visit);
    if (real === undefined) continue;
    const inner: Folder[] = [];
    yield* filesIn({ ...folder, real }, inner, visit);
    for (const child of inner.reverse()) stack.push(child);
  }
}

/** The real path of a folder that is to be read, or undefined when it was read before, is our own output or cannot be resolved. */
async function enter(folder: Folder, { context, visited }: Visit): Promise<string | undefined> {
  try {
    const real = folder.real ?? (await realpath(folder.path));
    if (!visited.add(real)) return undefined;
    const isRoot = folder.relative === '';
    return !isRoot && (await isOwnOutput(real, context)) ? undefined : real;
  } catch (thrown) {
    context.problem(unreadable(thrown, folder.name));
    return undefined;
  }
}

/** Whether a directory, by real path, holds what imgtool wrote: the caller says so, or a manifest lies in it. */
export async function isOwnOutput(real: string, context: FindContext): Promise<boolean> {
  if (context.exclude?.(real)) return true;
  return lstat(join(real, MANIFEST_NAME)).then(
    () => true,
    () => false,
  );
}

/** Yields the folder's wanted files, and reports when its entries cannot be read or not to the end. */
async function* filesIn(
  folder: Folder & { readonly real: string },
  inner: Folder[],
  visit: Visit,
): AsyncGenerator<Walked> {
  const batches = listing(folder.path, (thrown) => visit.context.problem(unreadable(thrown, folder.name)));
  for await (const batch of batches) {
    for (const entry of batch) {
      stopIfAborted(visit.context.signal);
      const file = await sort(entry, folder, inner, visit);
      if (file !== undefined) yield file;
    }
  }
}

/** A wanted file is given back; a directory goes to `inner`, a link to one to the visit's starts. */
async function sort(
  entry: Dirent,
  folder: Folder & { readonly real: string },
  inner: Folder[],
  { context, starts }: Visit,
): Promise<Walked | undefined> {
  if (entry.name.startsWith('.') && !context.hidden) return undefined;
  const child = {
    path: join(folder.path, entry.name),
    name: join(folder.name, entry.name),
    relative: folder.relative === '' ? entry.name : `${folder.relative}/${entry.name}`,
  };
  const kind = await kindOf(entry, child, context);
  if (kind === 'folder' && context.recursive) inner.push({ ...child, real: join(folder.real, entry.name) });
  if (kind === 'linked folder' && context.recursive) starts.push(child);
  return kind === 'file' && isWanted(child.name, context) ? child : undefined;
}

/** Whether a file's extension is one this build reads; known ones that it does not read are counted. */
export function isWanted(name: string, context: FindContext): boolean {
  const extension = extname(name);
  if (readsExtension(extension)) return true;
  const type = unreadableTypeOf(extension);
  if (type !== undefined) context.onUnreadable?.(type, name);
  return false;
}
