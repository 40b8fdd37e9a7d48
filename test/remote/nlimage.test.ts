import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';
import { door, figure, serve } from './servers.js';

const INPUTS = [
  photos()[0] ?? '',
  fixture('jpeg/gray.jpg'),
  fixture('png/rgba16.png'),
  fixture('animated/distinct.webp'),
];
const NLIMAGE = ['--server-protocol', 'nlimage', '--server'];

async function run(args: readonly string[]) {
  const cwd = await tempDir();
  const { exitCode, stdout } = await imgtool([...args, '--out', 'out', '--json', '-j', '1'], { cwd });
  const report = JSON.parse(String(stdout), (key, value) => (key === 'ms' ? undefined : value));
  const names = (await readdir(join(cwd, 'out'))).filter((name) => !name.startsWith('.')).sort();
  const read = async (name: string) => [name, await readFile(join(cwd, 'out', name), 'base64')] as const;
  return { exitCode, report, files: Object.fromEntries(await Promise.all(names.map(read))) };
}

describe('--server-protocol nlimage', () => {
  it.each([
    [['rotate', ...INPUTS, '--angle', '90']],
    [['rotate', ...INPUTS, '--angle', '-450', '--format', 'webp', '--sizes', '64,32']],
    [['mean', ...INPUTS.slice(0, 2), '--rounding', 'floor', '--format', 'png']],
    [['run', ...INPUTS.slice(0, 2), '--op', 'rotate:angle=180', '--op', 'mean:rounding=floor']],
  ])('gives the same files and the same report as without: %j', async (args) => {
    const { address, port } = await serve();
    const there = await run([...args, ...NLIMAGE, address]);
    expect(await figure(port, 'imgtool_requests_total{door="grpc"')).toBeGreaterThan(0);
    const here = await run(args);
    expect(Object.keys(here.files).length).toBeGreaterThan(0);
    expect(there).toEqual(here);
  });

  it('says what it can do, before anything is sent', async () => {
    const { address, connections } = await door((client) => void client.destroy());
    for (const args of [
      ['thumbnail', INPUTS[0] ?? ''],
      ['rotate', INPUTS[0] ?? '', '--angle', '10'],
      ['rotate', INPUTS[0] ?? '', '--flip'],
      ['mean', INPUTS[0] ?? ''],
      ['run', INPUTS[0] ?? '', '--format', 'webp'],
    ]) {
      const { exitCode, stderr } = await imgtool([...args, ...NLIMAGE, address], { cwd: await tempDir() });
      expect(exitCode).toBe(2);
      expect(String(stderr)).toMatch('E_USAGE');
      expect(String(stderr)).toMatch('--rounding floor');
    }
    expect(connections()).toBe(0);
  });

  it('has no mean for transparency', async () => {
    const { address } = await serve();
    const args = ['mean', fixture('png/rgba16.png'), '--rounding', 'floor', ...NLIMAGE, address];
    const { exitCode, stderr } = await imgtool(args, { cwd: await tempDir() });
    expect(exitCode).toBe(1);
    expect(String(stderr)).toMatch('E_UNSUPPORTED');
  });
});
