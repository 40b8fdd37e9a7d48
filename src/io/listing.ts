import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';

/** Directories with at most this many entries are read whole and sorted; larger ones come as they lie on the disk. */
export const SORTED_UP_TO = 10_000;

/**
 * The entries of a directory in batches, so that a huge one starts at once and memory stays flat.
 *
 * Up to {@link SORTED_UP_TO} entries come as one batch sorted by UTF-16 code units; of a larger directory that many
 * come first and the rest in small batches, all in directory order. When it cannot be read, or not to its end,
 * the system's error is reported and the listing ends with what there was.
 */
export async function* listing(
  directory: string,
  report: (thrown: unknown) => void,
): AsyncGenerator<readonly Dirent[]> {
  let batch: Dirent[] = [];
  let limit = SORTED_UP_TO + 1;
  for await (const entry of entries(directory, report)) {
    if (batch.push(entry) < limit) continue;
    yield batch;
    batch = [];
    limit = READ_AHEAD;
  }
  yield limit === READ_AHEAD ? batch : byName(batch);
}

/** Sorts directory entries in place by the code units of their names. */
export function byName<E extends { readonly name: string }>(entries: E[]): E[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const READ_AHEAD = 256;

async function* entries(directory: string, report: (thrown: unknown) => void): AsyncGenerator<Dirent> {
  let dir: Dir | undefined;
  try {
    dir = await opendir(directory, { bufferSize: READ_AHEAD });
    for await (const entry of dir) yield entry;
  } catch (thrown) {
    report(thrown);
  }
}
