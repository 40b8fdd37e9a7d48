import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ImgtoolError, toImgtoolError } from './errors.js';
import type { LocalSource } from './io/source.js';
import { type Inherited, prepared, writeWhole } from './io/write.js';
import { hashBytes, isRacy, type SourceIdentity } from './manifest.js';
import { hashOf, identity, type OutputFolder, type SourceFacts } from './outputs.js';
import type { Encoded } from './process.js';

/** Where results go. */
export type Destination =
  | ({ readonly kind: 'folder' } & OutputFolder)
  | { readonly kind: 'in-place' }
  /** Handed over as bytes, for standard output. */
  | { readonly kind: 'bytes'; take(image: Encoded): Promise<void> };

/** A result on its way out. */
export interface Delivery {
  readonly image: Encoded;
  /** Its name relative to the output folder. */
  readonly target: string;
  readonly source: LocalSource;
  readonly facts: SourceFacts;
  readonly keepTimes: boolean;
}

/** Brings a result where it belongs and gives its path, `-` for standard output. Throws E_WRITE, E_DISK_FULL or E_PERMISSION. */
export async function deliver(delivery: Delivery, destination: Destination): Promise<string> {
  if (destination.kind === 'folder') return record(delivery, destination);
  if (destination.kind === 'in-place') return replaceInput(delivery);
  await destination.take(delivery.image);
  return '-';
}

function inheritedFrom({ facts: { mode, mtimeMs, atimeMs }, keepTimes }: Delivery): Inherited {
  return {
    ...(mode !== undefined && { mode }),
    ...(keepTimes && mtimeMs !== undefined && atimeMs !== undefined && { times: { mtimeMs, atimeMs } }),
  };
}

async function replaceInput(delivery: Delivery): Promise<string> {
  const { input, name } = delivery.source;
  if (input.kind === 'bytes')
    throw new ImgtoolError('E_USAGE', 'expected files for --in-place, received standard input', {
      file: name,
    });
  const { owner } = delivery.facts;
  const inherited = { ...inheritedFrom(delivery), ...(owner && { owner }) };
  await writeWhole(await realpath(input.path), delivery.image.bytes, inherited);
  return input.path;
}

/** Claims the name in the manifest, writes, then records: a run killed in between leaves a claim, so the next one knows the file as ours. */
async function record(delivery: Delivery, folder: OutputFolder): Promise<string> {
  const { image, target, source, facts } = delivery;
  const path = join(folder.path, target);
  const manifest = folder.manifest !== undefined && 'record' in folder.manifest ? folder.manifest : undefined;
  if (manifest === undefined) {
    await writeWhole(path, image.bytes, inheritedFrom(delivery));
    return path;
  }
  const key = folder.keys[image.index] ?? '';
  const entry = {
    output: target,
    key,
    checkedAt: facts.checkedAt,
    source: await identityOf(source, facts, folder),
  };
  try {
    await prepared(folder.path);
    manifest.record(entry);
    const { size, mtimeMs } = await writeWhole(path, image.bytes, inheritedFrom(delivery));
    manifest.record({ ...entry, made: { size, mtimeMs, hash: hashBytes(image.bytes) } });
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write', file: path });
  }
  return path;
}

/** An input as the manifest remembers it: with its hash when asked, or when its time is too young to tell changes by. */
async function identityOf(
  source: LocalSource,
  facts: SourceFacts,
  folder: OutputFolder,
): Promise<SourceIdentity> {
  const known = identity(folder, source, facts);
  const young = facts.mtimeMs === undefined || isRacy(facts.mtimeMs, facts.checkedAt);
  return folder.verify || young ? { ...known, hash: await hashOf(source) } : known;
}
