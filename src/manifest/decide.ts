import type { Entry, OutputIdentity, SourceIdentity } from './entry.js';

/**
 * What there is to do about one output.
 * - `unchanged`: nothing.
 * - `touched`: nothing but a new entry; the bytes are proved equal while names, times or recorded hashes are not.
 * - `check-source`, `check-output`: hash that file and decide again with the hash filled in.
 * - `changed` (the source), `recipe` (the key), `missing`, `damaged` (the output), `unfinished` (a claim): make it anew.
 * - `absent`: never made, nothing in the way.
 * - `unknown-output`: never made by us, and a file is in the way.
 */
export type Decision =
  | 'unchanged'
  | 'touched'
  | 'check-source'
  | 'check-output'
  | 'changed'
  | 'recipe'
  | 'missing'
  | 'damaged'
  | 'unfinished'
  | 'absent'
  | 'unknown-output';

/** What there is now; hashes only where already known. */
export interface Present {
  readonly source: SourceIdentity;
  readonly output: OutputIdentity | undefined;
  readonly key: string;
}

/** Weighs what was recorded of an output against what there is now. */
export function decide(entry: Entry | undefined, now: Present): Decision {
  if (entry === undefined) return now.output === undefined ? 'absent' : 'unknown-output';
  if (now.output === undefined) return 'missing';
  if (entry.made === undefined) return 'unfinished';
  if (entry.key !== now.key) return 'recipe';
  const source = compareSource(entry, now.source);
  const output = compareOutput(entry.made, now.output);
  if (source === 'differs') return 'changed';
  if (output === 'differs') return 'damaged';
  if (source === 'hash') return 'check-source';
  if (output === 'hash') return 'check-output';
  return source === 'alike' && output === 'alike' ? 'unchanged' : 'touched';
}

/**
 * Whether a file could have changed after it was looked at and kept its times, as git's index has it ("racy"): its
 * mtime is no older than the clock's grain at `checkedAt`, both in milliseconds. Such a source needs a hash on record.
 */
export function isRacy(mtimeMs: number, checkedAt: number): boolean {
  // A whole second hints at a file system that keeps no finer time (FAT counts in twos); others go by kernel ticks.
  const grain = mtimeMs % 1000 === 0 ? 2000 : 20;
  return mtimeMs > checkedAt - grain;
}

/** `alike` at a glance, `proved` equal by hash, `differs`, or only a `hash` can tell. */
type Likeness = 'alike' | 'proved' | 'differs' | 'hash';

function compareSource({ source: then, checkedAt }: Entry, now: SourceIdentity): Likeness {
  if (then.size !== undefined && now.size !== undefined && then.size !== now.size) return 'differs';
  const alike =
    then.name === now.name &&
    then.mtimeMs !== undefined &&
    then.mtimeMs === now.mtimeMs &&
    !isRacy(then.mtimeMs, checkedAt);
  return compareHashes(alike, then.hash, now.hash);
}

function compareOutput(then: OutputIdentity, now: OutputIdentity): Likeness {
  if (then.size !== now.size) return 'differs';
  return compareHashes(then.mtimeMs === now.mtimeMs, then.hash, now.hash);
}

function compareHashes(alike: boolean, then: string | undefined, now: string | undefined): Likeness {
  if (then !== undefined && now !== undefined) {
    if (then !== now) return 'differs';
    return alike ? 'alike' : 'proved';
  }
  // A hash that was asked for and is not on record yet is worth a new entry.
  if (alike) return now === undefined ? 'alike' : 'proved';
  return then === undefined ? 'differs' : 'hash';
}
