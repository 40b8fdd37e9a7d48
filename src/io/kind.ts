import type { Dirent } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { readsExtension } from '../codecs/extensions.js';
import type { FindContext } from './found.js';
import { isMangled, unreadable } from './unreadable.js';

/** What an entry of a directory is, links looked through. */
export type Kind = 'file' | 'folder' | 'linked folder' | 'other';

/** What an entry is at the given path; a picture's link that leads nowhere, or a name that opens nothing, is reported. */
export async function kindOf(
  entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>,
  place: Place,
  context: FindContext,
): Promise<Kind> {
  if (isMangled(place.name) && !(await opens(place, context))) return 'other';
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? kindOfLink(place, context) : 'other';
}

interface Place {
  readonly path: string;
  readonly name: string;
}

async function kindOfLink(link: Place, context: FindContext): Promise<Kind> {
  try {
    const target = await stat(link.path);
    if (target.isFile()) return 'file';
    return target.isDirectory() ? 'linked folder' : 'other';
  } catch (thrown) {
    // a link that leads nowhere matters only where it stands for a picture
    if (readsExtension(extname(link.name))) context.problem(unreadable(thrown, link.name));
    return 'other';
  }
}

async function opens(place: Place, context: FindContext): Promise<boolean> {
  try {
    await lstat(place.path);
    return true;
  } catch (thrown) {
    context.problem(unreadable(thrown, place.name));
    return false;
  }
}
