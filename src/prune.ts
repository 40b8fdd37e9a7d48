import { lstat, realpath, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { toImgtoolError } from './errors.js';
import { type Entry, localName, type Manifest, type ManifestView } from './manifest.js';

/** An output whose input is gone: removed, or kept because somebody changed it since. */
export interface Pruned {
  /** Absolute. */
  readonly path: string;
  /** The input as the manifest names it. */
  readonly source: string;
  readonly action: 'removed' | 'kept';
}

/**
 * Removes the outputs on record whose inputs are gone, and takes them off the record; `isWanted` picks among the inputs
 * by absolute path. An output that is no longer the
 * file we wrote stays, and so does one behind a link that leads out of the folder. With a manifest only to be looked
 * at, nothing is removed.
 */
export async function* prune(
  folder: string,
  manifest: Manifest | ManifestView,
  isWanted: (source: string) => boolean = () => true,
): AsyncGenerator<Pruned> {
  const root = await realpath(folder).catch(() => folder);
  for (const entry of manifest.entries()) {
    const source = localName(folder, entry.source.name);
    if (isFarAway(entry.source.name) || !isWanted(source) || (await exists(source))) continue;
    const path = join(folder, entry.output);
    const isOurs = await isUntouched(path, entry, root);
    if (isOurs === undefined) continue;
    if (isOurs && 'remove' in manifest) await removed(path, entry, manifest);
    yield { path, source: entry.source.name, action: isOurs ? 'removed' : 'kept' };
  }
}

/** Standard input and addresses are never gone. */
function isFarAway(name: string): boolean {
  return name === '-' || /^[a-z][a-z\d+.-]*:\/\//i.test(name);
}

async function removed(path: string, entry: Entry, manifest: Manifest): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write', file: path });
  }
  manifest.remove(entry.output);
}

/** Whether the output is the very file we wrote; undefined when there is none. */
async function isUntouched(path: string, { made }: Entry, root: string): Promise<boolean | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return undefined;
  const home = await realpath(dirname(path)).catch(() => '');
  const inside = home === root || home.startsWith(root + sep);
  return (
    inside &&
    facts.isFile() &&
    made !== undefined &&
    facts.size === made.size &&
    facts.mtimeMs === made.mtimeMs
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
