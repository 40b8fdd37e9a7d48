import { constants } from 'node:fs';
import { access, copyFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ImgtoolError, toImgtoolError } from '../errors.js';
import { makeFolder } from '../io/folders.js';
import { forget, temporaryIn } from '../io/temporary.js';
import { writeWhole } from '../io/write.js';
import { numbered } from '../naming.js';
import { nameOf, type Place, pathOf } from './place.js';

/**
 * Moves a file into another folder under its own way, numbered where that name is taken; over file systems as a whole
 * copy. Gives the new path. Throws E_WRITE, E_DISK_FULL or E_PERMISSION.
 */
export async function moveInto(folder: string, place: Place, prefix: string): Promise<string> {
  const from = pathOf(place);
  try {
    const to = await freePath(join(folder, prefix, place.relative));
    await makeFolder(dirname(to));
    await rename(from, to).catch((thrown: unknown) => copied(from, to, thrown));
    return to;
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write', file: from });
  }
}

/** Moves a picture that cannot be processed, with a text file beside it that says why. Gives its new path. */
export async function putAside(
  folder: string,
  place: Place,
  prefix: string,
  { error, attempts }: { readonly error: ImgtoolError; readonly attempts: number },
): Promise<string> {
  const path = await moveInto(folder, place, prefix);
  const tried = attempts === 1 ? 'tried once' : `tried ${attempts} times`;
  const lines = [
    `${nameOf(place)}: ${error.code}: ${error.message}`,
    `${tried}, last at ${new Date().toISOString()}`,
  ];
  await writeWhole(`${path}.txt`, Buffer.from(`${lines.join('\n')}\n`));
  return path;
}

async function freePath(wanted: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = number === 1 ? wanted : numbered(wanted, number);
    if (!(await exists(path)) && !(await exists(`${path}.txt`))) return path;
  }
}

async function copied(from: string, to: string, thrown: unknown): Promise<void> {
  if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
  const temporary = temporaryIn(dirname(to));
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL);
    await rename(temporary, to);
  } catch (failed) {
    await unlink(temporary).catch(() => undefined);
    throw failed;
  } finally {
    forget(temporary);
  }
  await unlink(from);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
