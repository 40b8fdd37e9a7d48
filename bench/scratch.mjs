import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'imgtool-bench-out-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
let count = 0;

/** The path of a folder that is not there yet and is gone when the bench ends. */
export function freshFolder() {
  count += 1;
  return join(root, String(count));
}

/**
 * Runs something that writes into a new folder, and removes the folder.
 * @template T
 * @param {(folder: string) => T} work
 * @returns {T}
 */
export function inFreshFolder(work) {
  const folder = freshFolder();
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
