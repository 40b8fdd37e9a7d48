import { createReadStream, existsSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toImgtoolError } from '../../errors.js';
import { forget, temporaryIn } from '../../io/temporary.js';
import { prepared } from '../../io/write.js';
import { folderSync } from '../../jobs/folder-sync.js';
import type { SpooledInput } from '../spool.js';
import { fileName, numbered } from './file-name.js';

/** Where the upload of a name lies, as clients are told and below the bucket's parent. */
export function uploadedPath(name: string): string {
  return `./bucket/uploaded_img/${name}`;
}

/** Where its thumbnail lies. */
export function thumbnailPath(name: string): string {
  return `./bucket/thumbnail_img/${name}`;
}

/** Uploads that are kept for good. */
export interface Bucket {
  /** Copies an upload into the bucket, on the disk for good when it resolves; gives the name it has there. Throws E_WRITE, E_DISK_FULL, E_PERMISSION. */
  store(upload: SpooledInput, asked: string): Promise<string>;
  /** Takes one out again. */
  discard(name: string): Promise<void>;
}

/** The bucket in a folder, which is made with the first upload. */
export function bucketIn(parent: string): Bucket {
  const folder = dirname(join(parent, uploadedPath('any')));
  const flush = folderSync(folder);
  return {
    async store(upload, asked) {
      const temporary = temporaryIn(folder);
      try {
        await madeLasting(folder, parent);
        await copied(upload.path, temporary);
        const name = await stored(parent, temporary, fileName(asked));
        await flush();
        return name;
      } catch (thrown) {
        await unlink(temporary).catch(() => undefined);
        throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write' });
      } finally {
        forget(temporary);
      }
    },
    discard: (name) => unlink(join(parent, uploadedPath(name))).catch(() => undefined),
  };
}

/** Makes a folder below another, and the names on the way to it durable when it is new. */
async function madeLasting(folder: string, parent: string): Promise<void> {
  const isNew = !existsSync(folder);
  await prepared(folder);
  if (isNew) for (const above of [dirname(folder), parent]) await folderSync(above)();
}

async function copied(from: string, to: string): Promise<void> {
  const file = await open(to, 'wx');
  try {
    // each call writes on where the one before ended
    for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024 }))
      await file.writeFile(chunk);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Gives a file the first name that is free; the name is taken by an empty file first, so that no two get the same. */
async function stored(parent: string, file: string, wanted: string): Promise<string> {
  const isTaken = (number: number): boolean =>
    [uploadedPath, thumbnailPath].some((path) => existsSync(join(parent, path(numbered(wanted, number)))));
  for (let number = firstFree(isTaken); ; number += 1) {
    const name = numbered(wanted, number);
    const path = join(parent, uploadedPath(name));
    if (isTaken(number) || !(await reserved(path))) continue;
    try {
      await rename(file, path);
      return name;
    } catch (thrown) {
      await unlink(path).catch(() => undefined);
      throw thrown;
    }
  }
}

async function reserved(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/** A number that is free, found in few looks however many are taken: thousands of clients send `image.jpg`. */
function firstFree(isTaken: (number: number) => boolean): number {
  if (!isTaken(0)) return 0;
  let taken = 0;
  let free = 1;
  while (isTaken(free)) [taken, free] = [free, free * 2];
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (isTaken(middle)) taken = middle;
    else free = middle;
  }
  return free;
}
