import type { Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { entryKeys } from './io/literal.js';
import { realWay } from './io/real.js';
import { Seen } from './io/seen.js';
import type { Source } from './io/source.js';
import type { Entry } from './manifest.js';
import type { SourceFacts } from './outputs.js';

/** What is known of where inputs lie, to keep results from replacing them. */
export interface InputPlaces {
  /** Real paths of the directories and files named. */
  readonly roots: readonly string[];
  /** The output folder's real path. */
  readonly folder: string;
  /** Inputs met so far that lie in the output folder, by real path. */
  readonly inside: Seen;
}

/** What is known before the first input is met; `folder` need not exist. */
export async function inputPlaces(roots: readonly string[], folder: string): Promise<InputPlaces> {
  const [real = folder, ...rest] = await Promise.all([folder, ...roots].map(realOf));
  return { roots: rest, folder: real, inside: new Seen() };
}

/** Remembers inputs that lie in the output folder, since only they can be replaced by a result. */
export function surveyOf({ folder, inside }: InputPlaces): (source: Source) => Promise<void> {
  const keyOf = entryKeys();
  return async ({ input }) => {
    if (input.kind !== 'path') return;
    const real = await keyOf(input.path);
    if (isUnder(real, folder)) inside.add(real);
  };
}

/** A file that lies where a result belongs, and what is on record of it. */
interface Standing {
  readonly path: string;
  readonly there: Stats;
  readonly entry: Entry | undefined;
}

/** Whether a file is an input, by real path: that of the very picture, one that was met, or one in an input directory. */
export async function isInput(
  { path, there, entry }: Standing,
  source: Source,
  facts: SourceFacts,
  { inputs }: { readonly inputs: InputPlaces },
): Promise<boolean> {
  if (await isSameFile(path, there, source, facts)) return true;
  if (inputs.inside.size > 0 && inputs.inside.has(await entryPath(path))) return true;
  const inner = inputs.roots.filter((root) => isUnder(root, inputs.folder));
  const roots = entry === undefined ? inputs.roots : inner;
  if (roots.length === 0) return false;
  const real = await realOf(path);
  // an output folder that lies in an input directory is never searched, so what is in it is no input
  return roots.some((root) => real === root || (isUnder(real, root) && !isUnder(inputs.folder, root)));
}

/** Equal numbers only hint: a hard link is another name that a new file may take. */
async function isSameFile(
  path: string,
  there: Stats,
  { input }: Source,
  { inode }: SourceFacts,
): Promise<boolean> {
  if (input.kind !== 'path') return false;
  if (!there.isSymbolicLink() && (there.ino !== inode?.ino || there.dev !== inode.dev)) return false;
  return (await realOf(path)) === (await realOf(input.path));
}

/** The real path of an entry of a folder, without following the entry itself. */
async function entryPath(path: string): Promise<string> {
  return join(await realWay(dirname(path)), basename(path));
}

function isUnder(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

async function realOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
