import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type ErrorCode, ImgtoolError, toImgtoolError } from './errors.js';
import { Seen } from './io/seen.js';
import type { Source } from './io/source.js';
import { type Inherited, prepared, writeWhole } from './io/write.js';
import { hashBytes, isRacy, type SourceIdentity } from './manifest.js';
import type { Outcome, Output } from './outcome.js';
import { hashOf, identity, judge, type OutputFolder, type SourceFacts } from './outputs.js';
import { type Encoded, type Processed, type ProcessOptions, processImage } from './process.js';
import { type Item, type Naming, settleNames, truthfulTarget } from './targets.js';

/** Where results go. */
export type Destination =
  | ({ readonly kind: 'folder' } & OutputFolder)
  | { readonly kind: 'in-place' }
  /** Handed over as bytes, for standard output. */
  | { readonly kind: 'bytes'; take(image: Encoded): Promise<void> };

/** One run over many pictures. */
export interface Batch {
  /** The inputs; called again when names must be gathered first. */
  find(): AsyncIterable<Source>;
  readonly naming: Naming;
  readonly destination: Destination;
  readonly process: ProcessOptions;
  /** Pictures in flight. */
  readonly concurrency: number;
  readonly keepTimes: boolean;
  /** Failures after which no more work is taken. */
  readonly maxErrors: number;
  /** Aborted when no more work is to be taken; what runs is finished. */
  readonly drain: AbortSignal;
}

/**
 * Runs a recipe over many pictures, a bounded number at a time, and tells of each as it ends. One bad picture
 * never stops the others. Throws what makes the whole run meaningless: E_COLLISION, E_OVERWRITES_INPUT, a broken manifest.
 */
export async function runBatch(
  batch: Batch,
  tell: (outcome: Outcome) => void | Promise<void>,
): Promise<void> {
  const run: Run = { batch, taken: new Seen(), failures: 0, fatal: undefined, tell };
  const limit = pLimit(batch.concurrency);
  const running = new Set<Promise<void>>();
  try {
    for await (const item of settleNames(() => batch.find(), batch.naming, run.taken)) {
      if (isOver(run)) break;
      const task = limit(() => finish(item, run)).finally(() => running.delete(task));
      running.add(task);
      if (running.size >= batch.concurrency) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (run.fatal !== undefined) throw run.fatal;
}

interface Run {
  readonly batch: Batch;
  /** Names given to results that did not get them by construction. */
  readonly taken: Seen;
  failures: number;
  fatal: ImgtoolError | undefined;
  tell(outcome: Outcome): void | Promise<void>;
}

function isOver({ batch, failures, fatal }: Run): boolean {
  return batch.drain.aborted || failures >= batch.maxErrors || fatal !== undefined;
}

const FATAL: ReadonlySet<ErrorCode> = new Set(['E_COLLISION', 'E_OVERWRITES_INPUT', 'E_MANIFEST', 'E_USAGE']);

async function finish(item: Item, run: Run): Promise<void> {
  if (isOver(run)) return;
  const source = item.source.name;
  try {
    await run.tell({ source, ...(await outcomeOf(item, run)) });
  } catch (thrown) {
    const error = toImgtoolError(thrown, 'E_INTERNAL', { file: source });
    if (FATAL.has(error.code)) run.fatal ??= error;
    else run.failures += 1;
    if (!FATAL.has(error.code)) await run.tell({ source, status: 'failed', error });
  }
}

type Result = Outcome extends infer O ? (O extends unknown ? Omit<O, 'source'> : never) : never;

async function outcomeOf(item: Item, run: Run): Promise<Result> {
  const { destination } = run.batch;
  const started = performance.now();
  const facts = await factsOf(item.source);
  const place = { target: item.target };
  const early = await verdictFor(place.target, item, facts, destination);
  if (early !== undefined) return early;
  let late: Result | undefined;
  let renamed: Promise<string> | undefined;
  const processed = await processImage(item.source.input, run.batch.naming.recipe, {
    ...run.batch.process,
    async onHeader(_header, format) {
      // a damaged picture comes by a second time with --lenient; its name is settled once
      renamed ??= targetFor(item, format, run);
      place.target = await renamed;
      if (place.target !== item.target) late = await verdictFor(place.target, item, facts, destination);
      return late === undefined;
    },
  });
  if (processed === undefined) return late ?? { status: 'skipped', reason: 'exists', outputs: [] };
  const outputs = await write(processed, place.target, item, facts, run.batch);
  return {
    status: 'done',
    outputs,
    bytes: facts.size,
    ms: performance.now() - started,
    passes: processed.passes,
    notes: processed.notes,
  };
}

/** What is known of an input before it is decoded. Throws E_NOT_FOUND, E_PERMISSION or E_READ. */
export async function factsOf({ input, name }: Source): Promise<SourceFacts> {
  const checkedAt = Date.now();
  if (input.kind === 'bytes') return { size: input.bytes.length, checkedAt };
  try {
    const { size, mtimeMs, atimeMs, mode } = await stat(input.path);
    return { size, mtimeMs, atimeMs, mode, checkedAt };
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read', file: name });
  }
}

async function verdictFor(
  target: string,
  item: Item,
  facts: SourceFacts,
  to: Destination,
): Promise<Result | undefined> {
  if (to.kind !== 'folder') return undefined;
  const verdict = await judge(to, target, item.source, facts);
  return verdict.make
    ? undefined
    : { status: 'skipped', reason: verdict.reason, outputs: [{ path: join(to.path, target) }] };
}

async function targetFor(item: Item, format: Encoded['format'], { batch, taken }: Run): Promise<string> {
  const truthful = await truthfulTarget(item, format, batch.naming, taken);
  if (batch.destination.kind !== 'in-place' || truthful === item.target) return truthful;
  throw new ImgtoolError(
    'E_UNSUPPORTED',
    `expected a name that tells the bytes (${truthful}), received ${item.target}; rename it, or leave out --in-place`,
    {
      stage: 'write',
    },
  );
}

async function write(
  processed: Processed,
  target: string,
  item: Item,
  facts: SourceFacts,
  batch: Batch,
): Promise<Output[]> {
  const [image] = processed.results;
  if (image === undefined) return [];
  const { bytes, extension: _, ...described } = image;
  const path = await deliver(image, target, item, facts, batch);
  return [{ ...described, path, bytes: bytes.length }];
}

async function deliver(
  image: Encoded,
  target: string,
  item: Item,
  facts: SourceFacts,
  batch: Batch,
): Promise<string> {
  const { destination } = batch;
  if (destination.kind === 'bytes') {
    await destination.take(image);
    return '-';
  }
  const inherited = inheritedFrom(facts, batch.keepTimes);
  if (destination.kind === 'in-place') return replaceInput(item.source, image, inherited);
  return record(image, target, item.source, facts, inherited, destination);
}

function inheritedFrom({ mode, mtimeMs, atimeMs }: SourceFacts, keepTimes: boolean): Inherited {
  return {
    ...(mode !== undefined && { mode }),
    ...(keepTimes && mtimeMs !== undefined && atimeMs !== undefined && { times: { mtimeMs, atimeMs } }),
  };
}

async function replaceInput({ input, name }: Source, image: Encoded, inherited: Inherited): Promise<string> {
  if (input.kind === 'bytes')
    throw new ImgtoolError('E_USAGE', 'expected files for --in-place, received standard input', {
      file: name,
    });
  await writeWhole(await realpath(input.path), image.bytes, inherited);
  return input.path;
}

/** Claims the name in the manifest, writes, then records: a run killed in between leaves a claim, so the next one knows the file as ours. */
async function record(
  image: Encoded,
  target: string,
  source: Source,
  facts: SourceFacts,
  inherited: Inherited,
  folder: OutputFolder,
): Promise<string> {
  const path = join(folder.path, target);
  const manifest = folder.manifest !== undefined && 'record' in folder.manifest ? folder.manifest : undefined;
  if (manifest === undefined) {
    await writeWhole(path, image.bytes, inherited);
    return path;
  }
  const entry = {
    output: target,
    key: folder.key,
    checkedAt: facts.checkedAt,
    source: await identityOf(source, facts, folder),
  };
  await prepared(folder.path);
  manifest.record(entry);
  const { size, mtimeMs } = await writeWhole(path, image.bytes, inherited);
  manifest.record({ ...entry, made: { size, mtimeMs, hash: hashBytes(image.bytes) } });
  return path;
}

/** An input as the manifest remembers it: with its hash when asked, or when its time is too young to tell changes by. */
async function identityOf(source: Source, facts: SourceFacts, folder: OutputFolder): Promise<SourceIdentity> {
  const known = identity(folder, source, facts);
  const young = facts.mtimeMs === undefined || isRacy(facts.mtimeMs, facts.checkedAt);
  return folder.verify || young ? { ...known, hash: await hashOf(source) } : known;
}
