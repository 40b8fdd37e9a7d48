import type { Stats } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toImgtoolError } from '../errors.js';
import { makeFolder } from './folders.js';
import { forget, sweep, temporaryIn } from './temporary.js';
import { isAbsent } from './unreadable.js';

/** What a written file takes over from its source. */
export interface Inherited {
  /** Permission bits. */
  readonly mode?: number;
  /** Given where the system allows it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Access and modification time, in milliseconds since 1970. */
  readonly times?: { readonly atimeMs: number; readonly mtimeMs: number };
}

/** What the file system says of a file just written. */
export type Written = Pick<Stats, 'size' | 'mtimeMs'>;

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, flushed, then renamed over the name.
 * Throws E_DISK_FULL, E_PERMISSION or E_WRITE, with the temporary file removed.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  inherited: Inherited = {},
): Promise<Written> {
  const folder = dirname(path);
  const temporary = temporaryIn(folder);
  try {
    await prepared(folder);
    const facts = await writeFlushed(temporary, bytes, inherited);
    await rename(temporary, path);
    return facts;
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    // somebody removed the folder since it was made: the next try makes it again
    if (isAbsent(thrown)) folders.delete(folder);
    throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write', file: path });
  } finally {
    forget(temporary);
  }
}

async function writeFlushed(
  path: string,
  bytes: Uint8Array,
  { mode, times, owner }: Inherited,
): Promise<Written> {
  const file = await open(path, 'wx', mode === undefined ? 0o666 : mode & 0o777);
  try {
    await file.writeFile(bytes);
    // before the permissions, since a change of owner takes some away
    if (owner !== undefined) await file.chown(owner.uid, owner.gid).catch(() => undefined);
    if (mode !== undefined) await file.chmod(mode & 0o777);
    if (times !== undefined) await file.utimes(times.atimeMs / 1000, times.mtimeMs / 1000);
    await file.datasync();
    return await file.stat();
  } finally {
    await file.close();
  }
}

/** Folders this process has made and swept; each is looked at once. */
const folders = new Map<string, Promise<void>>();

/** Makes a folder and removes the litter of killed runs in it; once for each folder. */
export function prepared(folder: string): Promise<void> {
  const known = folders.get(folder);
  if (known !== undefined) return known;
  const work = makeFolder(folder).then(() => sweep(folder));
  // a folder that could not be made is tried again by the next file
  work.catch(() => folders.delete(folder));
  folders.set(folder, work);
  return work;
}
