import type { Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { holdsPicture } from './thumbnail.js';

/** The names of the pictures directly in a folder, by extension, hidden files left out; so many at a time. */
export async function* picturesIn(folder: string, atOnce: number): AsyncGenerator<readonly string[]> {
  let names: string[] = [];
  for await (const entry of await opendir(folder, { bufferSize: 256 })) {
    const { name } = entry;
    if (name.startsWith('.') || !holdsPicture(extname(name)) || !(await isFile(folder, entry))) continue;
    names.push(name);
    if (names.length < atOnce) continue;
    yield names;
    names = [];
  }
  if (names.length > 0) yield names;
}

/** Links count as what they lead to; whether that lies inside the root is judged when it is read. */
async function isFile(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const facts = await stat(join(folder, entry.name)).catch(() => undefined);
  return facts?.isFile() === true;
}
