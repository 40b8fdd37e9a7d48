import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Format } from './codecs/extensions.js';
import { type Destination, deliver } from './deliver.js';
import { ImgtoolError, toImgtoolError } from './errors.js';
import { type LocalSource, localSource } from './io/source.js';
import type { Outcome, Output, SkipReason } from './outcome.js';
import { judge, type SourceFacts } from './outputs.js';
import { type Encoded, type ProcessOptions, processImage } from './process.js';
import { type Item, type Names, type Naming, truthfulTarget } from './targets.js';

/** What is to be done to pictures, and where the results go. */
export interface Work {
  readonly naming: Naming;
  readonly destination: Destination;
  readonly process: ProcessOptions;
  /** Whether results take over the times of their inputs. */
  readonly keepTimes: boolean;
  /** Called once the results of a picture are ready, before any of them is written; throws to have none written. */
  beforeWrite?(): Promise<void>;
}

/** The way of one picture through the flow: what it is, what it may be called, what was decided. */
interface Progress {
  readonly item: Item & { readonly source: LocalSource };
  readonly work: Work;
  readonly facts: SourceFacts;
  /** By output: its name, corrected once the bytes are known. */
  readonly targets: string[];
  /** By output: why it is left alone. */
  readonly skipped: Map<number, SkipReason>;
}

/**
 * Processes one picture: looks at what is there, decodes, encodes, writes. Throws an ImgtoolError that names the file
 * and the stage; nothing half-made is left behind.
 */
export async function outcomeOf(item: Item, work: Work, taken: Names): Promise<Outcome> {
  if (item.error !== undefined) throw item.error;
  const started = performance.now();
  const local = await localSource(item.source, work.process.signal);
  const facts = await factsOf(local);
  const progress: Progress = {
    item: { ...item, source: local },
    work,
    facts,
    targets: [...item.targets],
    skipped: new Map(),
  };
  const source = item.source.name;
  const wanted = await toMake(progress);
  if (wanted.length === 0) return skippedOutcome(progress);
  let renamed: Promise<void> | undefined;
  const processed = await processImage(local.input, work.naming.recipe, {
    ...work.process,
    async onHeader(_header, formats) {
      // a damaged picture comes by a second time with --lenient; its names are settled once
      renamed ??= correctNames(progress, formats, taken);
      await renamed;
      return isRenamed(progress) ? toMake(progress) : wanted;
    },
  });
  if (processed === undefined) return skippedOutcome(progress);
  await work.beforeWrite?.();
  const outputs: Output[] = [];
  for (const image of processed.results) outputs.push(await written(image, progress));
  const { passes, notes } = processed;
  return {
    source,
    status: 'done',
    outputs,
    bytes: facts.size,
    ms: performance.now() - started,
    passes,
    notes,
  };
}

/** What is known of an input before it is decoded. Throws E_NOT_FOUND, E_PERMISSION or E_READ. */
export async function factsOf({ input, name }: LocalSource): Promise<SourceFacts> {
  const checkedAt = Date.now();
  if (input.kind === 'bytes') return { size: input.bytes.length, checkedAt };
  try {
    const { size, mtimeMs, atimeMs, mode, uid, gid, ino, dev } = statSync(input.path);
    return { size, mtimeMs, atimeMs, mode, owner: { uid, gid }, inode: { ino, dev }, checkedAt };
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read', file: name });
  }
}

/** The indices of the outputs that are not there yet or out of date. */
async function toMake({ item, work, facts, targets, skipped }: Progress): Promise<readonly number[]> {
  const { destination } = work;
  if (destination.kind !== 'folder') return [...targets.keys()];
  const made: number[] = [];
  for (const [index, target] of targets.entries()) {
    const key = destination.keys[index] ?? '';
    const verdict = await judge(destination, { target, key }, item.source, facts);
    if (verdict.make) made.push(index);
    else skipped.set(index, verdict.reason);
  }
  return made;
}

/** Whether a name is no longer the one that was looked up before the header was read. */
function isRenamed({ item, targets }: Progress): boolean {
  return targets.some((target, index) => target !== item.targets[index]);
}

/** Gives results whose bytes are not what the input's extension says the names that tell them. */
async function correctNames(
  { item, work, targets }: Progress,
  formats: readonly Format[],
  taken: Names,
): Promise<void> {
  for (const [index, format] of formats.entries()) {
    const truthful = await truthfulTarget(item, index, format, work.naming, taken);
    if (work.destination.kind === 'in-place' && truthful !== targets[index]) throw misnamed(truthful, item);
    targets[index] = truthful;
  }
}

function misnamed(truthful: string, { targets }: Item): ImgtoolError {
  return new ImgtoolError(
    'E_UNSUPPORTED',
    `expected a name that tells the bytes (${truthful}), received ${targets[0]}; rename it, or leave out --in-place`,
    { stage: 'write' },
  );
}

function skippedOutcome({ item, work, targets, skipped }: Progress): Outcome {
  const folder = work.destination.kind === 'folder' ? work.destination.path : '';
  const reason = [...skipped.values()].includes('exists') ? 'exists' : 'unchanged';
  return {
    source: item.source.name,
    status: 'skipped',
    reason,
    outputs: targets.map((target) => ({ path: join(folder, target) })),
  };
}

async function written(image: Encoded, { item, work, facts, targets }: Progress): Promise<Output> {
  const { format, width, height, frames, bytes, index } = image;
  const target = targets[index] ?? '';
  const path = await deliver(
    { image, target, source: item.source, facts, keepTimes: work.keepTimes },
    work.destination,
  );
  return { path, format, width, height, frames, bytes: bytes.length };
}
