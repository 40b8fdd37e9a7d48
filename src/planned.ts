import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Destination, factsOf } from './batch.js';
import { outputFormat } from './codecs/encode.js';
import { readHeader } from './codecs/header.js';
import { ImgtoolError } from './errors.js';
import type { Seen } from './io/seen.js';
import { judge } from './outputs.js';
import { type Item, type Naming, truthfulTarget } from './targets.js';

/** What a run would do about one input: the absolute path of its result, `-` for standard output. */
export interface Planned {
  readonly target: string;
  readonly action: 'make' | 'unchanged' | 'exists' | 'replace';
}

/** Settles what a run would do about an input, from its header alone; a picture that would be refused gives its error. */
export async function planned(
  item: Item,
  naming: Naming,
  destination: Destination,
  taken: Seen,
): Promise<Planned | ImgtoolError> {
  try {
    const header = await readHeader(item.source.input, naming.recipe);
    const target = await truthfulTarget(
      item,
      outputFormat(naming.recipe.outputs[0].format, header),
      naming,
      taken,
    );
    if (destination.kind === 'bytes') return { target: '-', action: 'make' };
    if (destination.kind === 'in-place') return { target: await ownPath(item), action: 'replace' };
    const verdict = await judge(destination, target, item.source, await factsOf(item.source));
    return { target: join(destination.path, target), action: verdict.make ? 'make' : verdict.reason };
  } catch (thrown) {
    if (!(thrown instanceof ImgtoolError)) throw thrown;
    if (thrown.code === 'E_COLLISION' || thrown.code === 'E_OVERWRITES_INPUT') throw thrown;
    return thrown.in({ file: item.source.name });
  }
}

async function ownPath({ source }: Item): Promise<string> {
  return source.input.kind === 'path' ? realpath(source.input.path) : '-';
}
