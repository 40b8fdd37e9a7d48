import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { imgtool } from '../support/cli.js';
import { fixture, tempDir } from '../support/fixtures.js';
import { bytesOf, direct, server } from './workshop.js';

/** Runs `imgtool client` against a server of ours, over a copy of a fixture; gives the written file. */
async function client(name: string, ...args: string[]): Promise<{ path: string; bytes: Buffer }> {
  const { port } = await server();
  const folder = await tempDir();
  const input = join(folder, name.replace('/', '-'));
  await copyFile(fixture(name), input);
  const out = join(folder, 'out');
  const given = ['--host', '127.0.0.1', '--port', `${port}`, '--input', input, '--output', out, ...args];
  const { exitCode, stderr } = await imgtool(['client', ...given]);
  expect(exitCode, String(stderr)).toBe(0);
  const path = join(out, `processed_${name.replace('/', '-')}`);
  return { path, bytes: await bytesOf(path) };
}

async function pixels(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes).raw().toBuffer();
}

describe('imgtool client', () => {
  it.each([['png/rgb.png'], ['png/gray.png']])('turns, then smooths the pixels of %s', async (name) => {
    const { bytes } = await client(name, '--rotate', 'NINETY_DEG', '--mean');
    const steps = [
      { op: 'rotate', angle: -90 },
      { op: 'mean', rounding: 'floor' },
    ];
    const wanted = await direct(await bytesOf(fixture(name)), { steps });
    expect((await pixels(bytes)).equals(await pixels(wanted))).toBe(true);
    expect((await sharp(bytes).metadata()).format).toBe('png');
  });

  it('lays transparency on white, and takes 16 bits for 8', async () => {
    const { bytes } = await client('png/rgba16.png');
    const wanted = await sharp(fixture('png/rgba16.png')).flatten({ background: 'white' }).raw().toBuffer();
    const made = await pixels(bytes);
    expect(made.length).toBe(wanted.length);
    expect(made.every((value, at) => Math.abs(value - (wanted[at] ?? 0)) <= 1)).toBe(true);
  });

  it('sends the file as it is when asked', async () => {
    const { bytes } = await client('jpeg/baseline.jpg', '--encoded', '--rotate', 'ONE_EIGHTY_DEG');
    const steps = [{ op: 'rotate', angle: 180 }];
    expect(bytes.equals(await direct(await bytesOf(fixture('jpeg/baseline.jpg')), { steps }))).toBe(true);
  });

  it('says what it needs, and that nobody answers', async () => {
    const usage = await imgtool(['client', '--input', 'x.jpg']);
    expect(usage.exitCode).toBe(2);
    const given = [
      '--port',
      '1',
      '--host',
      '127.0.0.1',
      '--input',
      fixture('png/rgb.png'),
      '--output',
      await tempDir(),
    ];
    const { exitCode, stderr } = await imgtool(['client', ...given]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch('E_UPSTREAM');
  });
});
