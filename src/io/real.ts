import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The real path of a folder or file that may not be there yet, and then of as much of its way as is there. */
export async function realWay(path: string): Promise<string> {
  const parent = dirname(path);
  return realpath(path).catch(async () =>
    parent === path ? path : join(await realWay(parent), basename(path)),
  );
}
