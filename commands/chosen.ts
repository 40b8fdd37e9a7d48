import { realpath } from 'node:fs/promises';
import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError } from '../src/errors.js';
import { realWay } from '../src/io/real.js';
import { Seen } from '../src/io/seen.js';
import type { Source } from '../src/io/source.js';

/** Those of the inputs found that a run is to process, as its destination has it. */
export function chosen(sources: AsyncIterable<Source>, destination: Destination): AsyncIterable<Source> {
  if (destination.kind === 'in-place') return eachFileOnce(sources);
  return destination.kind === 'bytes' ? onlyOne(sources) : withoutOwnResults(sources, destination);
}

/** Two links to one file are one original: it is not to be turned twice. */
async function* eachFileOnce(sources: AsyncIterable<Source>): AsyncGenerator<Source> {
  const seen = new Seen();
  for await (const source of sources) {
    const { input } = source;
    if (input.kind !== 'path' || seen.add(await realpath(input.path).catch(() => input.path))) yield source;
  }
}

/** Two pictures in a row on standard output would be none; so the second one is looked for before the first is given. */
async function* onlyOne(sources: AsyncIterable<Source>): AsyncGenerator<Source> {
  let only: Source | undefined;
  for await (const source of sources) {
    if (only !== undefined)
      throw new ImgtoolError('E_USAGE', expected('one input for --out -', 'several'), {
        stage: 'plan',
        field: 'out',
      });
    only = source;
  }
  if (only !== undefined) yield only;
}

/** Where results go into the folder that is searched, those of earlier runs are no inputs, unless named outright. */
async function* withoutOwnResults(
  sources: AsyncIterable<Source>,
  { inputs, manifest }: Destination & { kind: 'folder' },
): AsyncGenerator<Source> {
  const roots = new Map<string, string>();
  for await (const source of sources) {
    const real = roots.get(source.root) ?? (await realWay(source.root));
    roots.set(source.root, real);
    const isOwn =
      !source.explicit && real === inputs.folder && manifest?.lookup(source.relative) !== undefined;
    if (!isOwn) yield source;
  }
}
