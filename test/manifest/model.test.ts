import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MANIFEST_NAME } from '../../src/io/names.js';
import { compact } from '../../src/manifest/compact.js';
import { type Entry, type Manifest, openManifest, readManifest } from '../../src/manifest.js';
import { entryOf, workshop } from './workshop.js';

interface Run {
  readonly folder: string;
  manifest: Manifest;
  readonly other: Manifest;
  /** What each output's latest entry should be. */
  readonly model: Map<string, Entry>;
}

function record(run: Run, manifest: Manifest, entry: Entry): void {
  manifest.record(entry);
  run.model.set(entry.output, entry);
}

const ACTS: Record<string, (run: Run, output: string, size: number) => unknown> = {
  record: (run, output, size) => record(run, run.manifest, entryOf(output, size)),
  claim: (run, output) => {
    const { made: _, ...claim } = entryOf(output);
    record(run, run.manifest, claim);
  },
  remove: (run, output) => {
    run.manifest.remove(output);
    run.model.delete(output);
  },
  flush: ({ manifest }) => manifest.flush(),
  compact: ({ folder }) => compact(join(folder, MANIFEST_NAME)),
  addByOther: (run, output, size) => {
    record(run, run.other, entryOf(`other/${output}`, size));
    run.other.flush();
  },
  reopen: async (run) => {
    await run.manifest.close();
    run.manifest = await openManifest(run.folder);
  },
};

const step = fc.record({
  act: fc.constantFrom(...Object.keys(ACTS)),
  output: fc.nat(12).map((n) => `d/${n}é.jpg`),
  size: fc.nat(1000),
});

async function play(
  run: Run,
  steps: readonly { act: string; output: string; size: number }[],
): Promise<void> {
  for (const { act, output, size } of steps) {
    await ACTS[act]?.(run, output, size);
    expect(run.manifest.lookup(output)).toEqual(run.model.get(output));
  }
  await run.other.close();
  await run.manifest.close();
}

test('a manifest holds together through any mix of runs, records, removals and compactions', async () => {
  const shop = await workshop();
  let round = 0;
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
    const folder = join(shop.folder, String(round++));
    await mkdir(folder);
    const run = {
      folder,
      manifest: await openManifest(folder),
      other: await openManifest(folder),
      model: new Map<string, Entry>(),
    };
    await play(run, steps);
    const view = await readManifest(folder);
    expect(new Map(Array.from(view.entries(), (entry) => [entry.output, entry]))).toEqual(run.model);
    expect([view.size, view.damaged]).toEqual([run.model.size, 0]);
    await view.close();
  });
  await fc.assert(property, { numRuns: 150 }).finally(shop.close);
});
