import { statfs } from 'node:fs/promises';
import { expected, ImgtoolError } from '../errors.js';
import type { Clock } from './clock.js';

/** How long the answer of the file system holds. */
const FRESH_MS = 1000;

/** A check that a folder's disk has some bytes free, asked at most once a second; it throws E_DISK_FULL when not. */
export function diskGuard(folder: string, reserve: number, clock: Clock): () => Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let free: Promise<number> = Promise.resolve(0);
  return async () => {
    const now = clock.now();
    if (Math.abs(now - asked) >= FRESH_MS) {
      asked = now;
      free = freeBytes(folder);
    }
    const bytes = await free;
    if (bytes >= reserve) return;
    throw new ImgtoolError('E_DISK_FULL', expected(`${reserve} bytes free on the disk`, `${bytes}`), {
      stage: 'write',
    });
  };
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // a file system that does not say: writing will tell
    return Number.POSITIVE_INFINITY;
  }
}
