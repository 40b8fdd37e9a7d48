import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../src/operations/index.js';
import { imgtool } from '../support/cli.js';
import { fixture, tempDir } from '../support/fixtures.js';
import { grpcClient } from './grpc-client.js';
import { bytesOf, server } from './workshop.js';

const PICTURE = fixture('jpeg/baseline.jpg');

/** Every operation with each of its examples. */
const CASES = OPERATIONS.flatMap(({ name, examples }) =>
  examples.map((params) => [name, JSON.stringify(params), params] as const),
);

describe('one recipe through every door', () => {
  it.each(CASES)(
    '%s %s gives the same bytes on the command line, over HTTP and over gRPC',
    async (op, _, params) => {
      const { url, port } = await server({ limits: { outputSide: 65_535, outputPixels: 268_000_000 } });
      const image = await bytesOf(PICTURE);
      const recipe = { steps: [{ ...params, op }] };
      const fromCli = await byCommandLine(recipe);

      const form = new FormData();
      form.set('image', new Blob([new Uint8Array(image)]));
      form.set('recipe', JSON.stringify(recipe));
      const byForm = await fetch(`${url}/v1/process`, { method: 'POST', body: form });
      expect(byForm.status, await byForm.clone().text()).toBe(200);
      expect(Buffer.from(await byForm.arrayBuffer()).equals(fromCli)).toBe(true);

      const query = new URLSearchParams({ op: stepText(op, params) });
      const byQuery = await fetch(`${url}/v1/process?${query}`, {
        method: 'POST',
        body: new Uint8Array(image),
      });
      expect(Buffer.from(await byQuery.arrayBuffer()).equals(fromCli)).toBe(true);

      const texts = Object.fromEntries(Object.entries(params).map(([key, value]) => [key, String(value)]));
      const byGrpc = await grpcClient(port, 'imgtool.v1.ImageService').unary<{ images: { data: Buffer }[] }>(
        'Process',
        {
          recipe: { steps: [{ op, params: texts }] },
          image,
        },
      );
      expect(byGrpc.images[0]?.data.equals(fromCli)).toBe(true);
    },
  );
});

async function byCommandLine(recipe: object): Promise<Buffer> {
  const folder = await tempDir();
  const file = join(folder, 'recipe.json');
  await writeFile(file, JSON.stringify(recipe));
  const out = join(folder, 'out');
  const { exitCode, stderr } = await imgtool(['run', PICTURE, '--recipe', file, '--out', out]);
  expect(exitCode, String(stderr)).toBe(0);
  const name = (await readdir(out)).find((entry) => entry.startsWith('baseline'));
  return readFile(join(out, name ?? ''));
}

/** `resize:width=800,fit=cover`, with a backslash before what would end a value. */
function stepText(op: string, params: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(params).map(
    ([key, value]) => `${key}=${String(value).replaceAll(/[\\,=:]/g, '\\$&')}`,
  );
  return pairs.length === 0 ? op : `${op}:${pairs.join(',')}`;
}
