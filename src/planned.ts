import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { outputFormat } from './codecs/encode.js';
import { readHeader } from './codecs/header.js';
import type { Destination } from './deliver.js';
import { ImgtoolError } from './errors.js';
import { type LocalSource, localSource } from './io/source.js';
import { judge } from './outputs.js';
import { factsOf } from './picture.js';
import { type Item, type Names, type Naming, truthfulTarget } from './targets.js';

/** What a run would do about one input: the absolute path of its result, `-` for standard output. */
export interface Planned {
  readonly target: string;
  readonly action: 'make' | 'unchanged' | 'exists' | 'replace' | 'prune' | 'keep';
}

/** Settles what a run would do about an input, from its header alone; a picture that would be refused gives its error. */
export async function planned(
  item: Item,
  naming: Naming,
  destination: Destination,
  taken: Names,
): Promise<readonly Planned[] | ImgtoolError> {
  try {
    if (item.error !== undefined) throw item.error;
    const source = await localSource(item.source);
    const header = await readHeader(source.input, naming.recipe);
    const rows: Planned[] = [];
    for (const [index, { format: asked }] of naming.recipe.outputs.entries()) {
      const target = await truthfulTarget(item, index, outputFormat(asked, header), naming, taken);
      rows.push(await rowFor(source, index, target, destination));
    }
    return rows;
  } catch (thrown) {
    if (!(thrown instanceof ImgtoolError)) throw thrown;
    if (thrown.code === 'E_COLLISION' || thrown.code === 'E_OVERWRITES_INPUT') throw thrown;
    return thrown.in({ file: item.source.name });
  }
}

async function rowFor(
  source: LocalSource,
  index: number,
  target: string,
  destination: Destination,
): Promise<Planned> {
  if (destination.kind === 'bytes') return { target: '-', action: 'make' };
  if (destination.kind === 'in-place') return { target: await ownPath(source), action: 'replace' };
  const place = { target, key: destination.keys[index] ?? '' };
  const verdict = await judge(destination, place, source, await factsOf(source));
  return { target: join(destination.path, target), action: verdict.make ? 'make' : verdict.reason };
}

async function ownPath({ input }: LocalSource): Promise<string> {
  return input.kind === 'path' ? realpath(input.path) : '-';
}
