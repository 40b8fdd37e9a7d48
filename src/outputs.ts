import { lstatSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImgtoolError } from './errors.js';
import type { LocalSource } from './io/source.js';
import {
  decide,
  type Entry,
  hashBytes,
  hashFile,
  type Manifest,
  type ManifestView,
  type Present,
  portableName,
  versionKey,
} from './manifest.js';
import type { SkipReason } from './outcome.js';
import { type InputPlaces, isInput } from './overlap.js';
import { type Recipe, recipeJson } from './recipe.js';

/** What to do when an output is there already; `auto` replaces what an earlier run of the same operations wrote. */
export type IfExists = 'auto' | 'overwrite' | 'skip' | 'fail';

/** What is known of an input before it is decoded. */
export interface SourceFacts {
  readonly size: number;
  /** Absent for standard input. */
  readonly mtimeMs?: number;
  readonly atimeMs?: number;
  readonly mode?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Tells whether another path leads to the same file. */
  readonly inode?: { readonly ino: number; readonly dev: number };
  /** Milliseconds since 1970 just before the input was looked at. */
  readonly checkedAt: number;
}

/** The output folder as a run sees it. */
export interface OutputFolder {
  /** Absolute. */
  readonly path: string;
  readonly manifest: Manifest | ManifestView | undefined;
  readonly ifExists: IfExists;
  /** Make everything anew, whatever the manifest says. */
  readonly force: boolean;
  /** Hash inputs and outputs instead of trusting size and time. */
  readonly verify: boolean;
  /** For each output of the recipe, what identifies recipe, options and versions; the part before `#` names the operations. */
  readonly keys: readonly string[];
  readonly inputs: InputPlaces;
}

/** Whether to make an output, or why not. */
export type Verdict = { readonly make: true } | { readonly make: false; readonly reason: SkipReason };

const MAKE: Verdict = { make: true };

/** For each output, a key that changes with anything that can change its bytes. */
export function recipeKeys(
  recipe: Recipe,
  versions: Readonly<Record<string, string | undefined>>,
  lenient: boolean,
): readonly string[] {
  const family = recipe.name ?? (recipe.steps.map((step) => step.name).join('+') || 'convert');
  const { name: _, outputs: __, ...work } = recipeJson(recipe);
  // several results from one decode depend on the size of the largest, so on all of them
  const together =
    recipe.exact || recipe.outputs.length === 1
      ? undefined
      : recipe.outputs.map(({ within }) => within ?? null);
  return recipe.outputs.map(
    (output) => `${family}#${versionKey({ work, output, together, versions, lenient })}`,
  );
}

/** One result of an input: its name relative to the output folder, and its key. */
export interface Place {
  readonly target: string;
  readonly key: string;
}

/** Settles whether an output is made, skipped or refused, without touching a pixel. Throws E_EXISTS or E_OVERWRITES_INPUT. */
export async function judge(
  folder: OutputFolder,
  place: Place,
  source: LocalSource,
  facts: SourceFacts,
): Promise<Verdict> {
  const path = join(folder.path, place.target);
  const there = standing(path);
  if (there === undefined) return MAKE;
  const entry = recorded(folder, place.target);
  if (await isInput({ path, entry, there }, source, facts, folder)) throw overInput(path, source.name);
  if (folder.ifExists === 'overwrite')
    return entry === undefined || folder.force
      ? MAKE
      : renewal(folder, { entry, there }, place, source, facts);
  if (folder.ifExists === 'skip') return { make: false, reason: 'exists' };
  if (folder.ifExists === 'fail' || entry === undefined || family(entry.key) !== family(place.key))
    throw inTheWay(path, entry, source.name);
  return folder.force ? MAKE : renewal(folder, { entry, there }, place, source, facts);
}

/** A look that waits for nothing else: of ten thousand unchanged outputs, promises would take half the time. */
function standing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What is on record of a file that is there, if need be by a run that goes on beside this one. */
function recorded({ manifest }: OutputFolder, target: string): Entry | undefined {
  const known = manifest?.lookup(target);
  if (known !== undefined) return known;
  manifest?.refresh();
  return manifest?.lookup(target);
}

/** Whether a recorded output is still what a run would make. */
async function renewal(
  folder: OutputFolder,
  { entry, there }: { readonly entry: Entry; readonly there: Stats },
  { target, key }: Place,
  source: LocalSource,
  facts: SourceFacts,
): Promise<Verdict> {
  const path = join(folder.path, target);
  const output = there.isSymbolicLink() ? await stat(path) : there;
  let now: Present = {
    key,
    source: { ...identity(folder, source, facts), ...(folder.verify && { hash: await hashOf(source) }) },
    output: {
      size: output.size,
      mtimeMs: output.mtimeMs,
      ...(folder.verify && { hash: await hashFile(path) }),
    },
  };
  for (let round = 0; round < 3; round += 1) {
    const decision = decide(entry, now);
    if (decision === 'check-source') now = { ...now, source: { ...now.source, hash: await hashOf(source) } };
    else if (decision === 'check-output' && now.output)
      now = { ...now, output: { ...now.output, hash: await hashFile(path) } };
    else if (decision === 'unchanged' || decision === 'touched')
      return settled(folder, entry, now, facts, decision);
    else return MAKE;
  }
  return MAKE;
}

function settled(
  folder: OutputFolder,
  entry: Entry,
  now: Present,
  facts: SourceFacts,
  decision: 'unchanged' | 'touched',
): Verdict {
  const { manifest } = folder;
  if (decision === 'touched' && manifest !== undefined && 'record' in manifest && now.output !== undefined) {
    const source = { ...(entry.source.hash !== undefined && { hash: entry.source.hash }), ...now.source };
    const made = { ...(entry.made?.hash !== undefined && { hash: entry.made.hash }), ...now.output };
    manifest.record({ ...entry, source, made, checkedAt: facts.checkedAt });
  }
  return { make: false, reason: 'unchanged' };
}

/** What the manifest remembers of an input. */
export function identity(folder: OutputFolder, source: LocalSource, { size, mtimeMs }: SourceFacts) {
  const { input } = source;
  const name = portableName(folder.path, input.kind === 'path' ? input.path : source.name);
  return { name, size, ...(mtimeMs !== undefined && { mtimeMs }) };
}

/** The content hash of an input. */
export function hashOf({ input }: LocalSource): Promise<string> {
  return input.kind === 'path' ? hashFile(input.path) : Promise.resolve(hashBytes(input.bytes));
}

function family(key: string): string {
  return key.slice(0, key.indexOf('#'));
}

function overInput(path: string, file: string): ImgtoolError {
  return new ImgtoolError(
    'E_OVERWRITES_INPUT',
    `expected an output that is no input, received ${path}; use another --out, or --in-place`,
    {
      stage: 'plan',
      file,
    },
  );
}

function inTheWay(path: string, entry: Entry | undefined, file: string): ImgtoolError {
  const owner =
    entry === undefined
      ? 'a file that no run of imgtool on record wrote'
      : `the result of ${family(entry.key)}`;
  return new ImgtoolError(
    'E_EXISTS',
    `expected no file at ${path}, received ${owner}; use --if-exists overwrite or skip, or another --out`,
    {
      stage: 'write',
      file,
    },
  );
}
