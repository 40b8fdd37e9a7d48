import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagText } from '../../commands/wording.js';
import { OPERATIONS } from '../../src/operations/index.js';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';
import { startServer } from './servers.js';

const INPUTS = [
  photos()[0] ?? '',
  fixture('jpeg/gray.jpg'),
  fixture('jpeg/cmyk.jpg'),
  fixture('png/rgba16.png'),
  fixture('animated/partial.gif'),
  fixture('animated/distinct.webp'),
  fixture('colour/display-p3.jpg'),
  fixture('hostile/jpeg-cut-half.jpg'),
  fixture('hostile/text-named.jpg'),
  fixture('hostile/empty.png'),
];

/** What a run reports and writes, in a folder of its own; what a clock says left out. */
async function run(args: readonly string[]) {
  const cwd = await tempDir();
  const given = [...args, '--out', 'out', '--json', '--concurrency', '1'];
  const { exitCode, stdout, stderr } = await imgtool(given, { cwd });
  const report = JSON.parse(String(stdout), (key, value) => (key === 'ms' ? undefined : value));
  return { exitCode, report, stderr, files: await filesIn(join(cwd, 'out')) };
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.\w+$/.test(name)).sort();
  const results = names.filter((name) => !name.includes('manifest'));
  const read = async (name: string) => [name, await readFile(join(folder, name), 'base64')] as const;
  return Object.fromEntries(await Promise.all(results.map(read)));
}

/** Runs here and at a server. */
async function both(args: readonly string[]) {
  const { address } = server;
  const here = await run(args);
  const there = await run([...args, '--server', address]);
  expect(Object.keys(here.files).length).toBeGreaterThan(0);
  return { here, there };
}

let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.child;
});

describe('--server', () => {
  it.each(OPERATIONS.map((operation) => [operation.name, operation.examples[0] ?? {}]))(
    '%s gives the same files and the same report as without',
    async (name, params) => {
      const flags = Object.entries(params).map(flagText).join(' ').split(' ').filter(Boolean);
      const { here, there } = await both([name, ...INPUTS, ...flags]);
      expect(there).toEqual(here);
    },
  );

  it('makes several results of one picture, also when only some of them are missing', async () => {
    const { here, there } = await both(['run', ...INPUTS, '--sizes', '64,32', '--formats', 'webp,jpeg']);
    expect(there).toEqual(here);
    const exact = await both(['run', photos()[0] ?? '', '--sizes', '64,32', '--exact']);
    expect(exact.there).toEqual(exact.here);
  });

  it('runs chains of operations with every kind of option', async () => {
    const chain = ['--op', 'resize:width=90', '--op', 'rotate:angle=10', '--op', 'mean:size=5'];
    const options = ['--format', 'avif', '--quality', '40', '--metadata', 'all', '--frames', 'first'];
    const { here, there } = await both(['run', ...INPUTS, ...chain, ...options]);
    expect(there).toEqual(here);
  });
});
