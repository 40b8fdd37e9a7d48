import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { opendir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A temporary file says which process on which machine it belongs to, so that a later run knows whether it is litter. */
const PATTERN = /^\.imgtool-([0-9a-z]+)-(\d+)-[0-9a-f]{12}\.tmp$/;
const HOST = Buffer.from(hostname()).toString('hex').slice(0, 16);
const DAY_MS = 86_400_000;

const alive = new Set<string>();

/** A new name for a temporary file in a folder; call {@link forget} once it is renamed or removed. */
export function temporaryIn(folder: string): string {
  const path = join(folder, `.imgtool-${HOST}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  alive.add(path);
  return path;
}

/** Takes a temporary file off the list of those to clean. */
export function forget(path: string): void {
  alive.delete(path);
}

/** Removes every temporary file of this process at once; for leaving in a hurry. */
export function removeTemporaries(): void {
  for (const path of alive) {
    try {
      unlinkSync(path);
    } catch {
      // it was renamed or never made: either way it is no litter
    }
  }
  alive.clear();
}

/** Removes what killed runs left in a folder; a file of a living process, or of another machine within a day, stays. */
export async function sweep(folder: string): Promise<void> {
  for await (const { name } of await opendir(folder, { bufferSize: 256 })) {
    const match = PATTERN.exec(name);
    if (match === null) continue;
    const path = join(folder, name);
    if (await isLitter(path, match[1] ?? '', Number(match[2]))) await unlink(path).catch(() => undefined);
  }
}

/** In a container every run may have the same number, so our own does not prove that a file is ours. */
async function isLitter(path: string, host: string, pid: number): Promise<boolean> {
  if (host === HOST) return pid === process.pid ? !alive.has(path) : !isRunning(pid);
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > DAY_MS;
}

/** Whether a process of this machine has that number, also one of another user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
