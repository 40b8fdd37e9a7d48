import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

const FORMATS = { webp: 'webp', jpeg: 'jpg' } as const;

async function folderWith(path: string, name: string): Promise<string> {
  const cwd = await tempDir();
  await mkdir(join(cwd, 'in'));
  await copyFile(path, join(cwd, 'in', name));
  return cwd;
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
  return sum / a.length;
}

describe('several results from one decode', () => {
  const photo = photos().find((path) => path.endsWith('mountain.jpg')) ?? '';
  const many = ['--sizes', '1600,800,400', '--formats', 'webp,jpeg'];

  test('come at every size and format, named by size', async () => {
    const cwd = await folderWith(photo, 'x.jpg');
    const { stdout } = await imgtool(['run', 'in', ...many, '--json'], { cwd });
    const [outcome] = JSON.parse(String(stdout)).outcomes;
    expect(
      outcome.outputs.map((output: { path: string; width: number }) => [output.path, output.width]),
    ).toEqual(
      [1600, 800, 400].flatMap((width) =>
        Object.values(FORMATS).map((extension) => [`imgtool-out/convert/x-${width}.${extension}`, width]),
      ),
    );
  });

  test.each([1600, 800, 400])(
    'differ from the single result at %i by at most 4 levels in the mean',
    async (width) => {
      const cwd = await folderWith(photo, 'x.jpg');
      await imgtool(['run', 'in', ...many, '--out', 'many'], { cwd });
      await imgtool(['resize', 'in', '--width', `${width}`, '--out', 'one'], { cwd });
      const [several, single] = await Promise.all(
        [`many/x-${width}.jpg`, 'one/x.jpg'].map((path) =>
          sharp(join(cwd, path)).raw().toBuffer({ resolveWithObject: true }),
        ),
      );
      expect(several?.info).toMatchObject({ width: single?.info.width, height: single?.info.height });
      expect(
        meanDifference(several?.data ?? Buffer.alloc(0), single?.data ?? Buffer.alloc(1)),
      ).toBeLessThanOrEqual(4);
    },
  );

  test('are byte for byte the single results with --exact', async () => {
    const cwd = await folderWith(photo, 'x.jpg');
    await imgtool(['run', 'in', ...many, '--exact', '--out', 'many'], { cwd });
    for (const [format, extension] of Object.entries(FORMATS)) {
      await imgtool(['resize', 'in', '--width', '800', '--format', format, '--out', `one-${format}`], {
        cwd,
      });
      expect(await readFile(join(cwd, `many/x-800.${extension}`))).toEqual(
        await readFile(join(cwd, `one-${format}/x.${extension}`)),
      );
    }
  });

  test('have the same bytes when only one of them is made anew', async () => {
    const cwd = await folderWith(photo, 'x.jpg');
    await imgtool(['run', 'in', ...many], { cwd });
    const path = join(cwd, 'imgtool-out/convert/x-400.webp');
    const before = await readFile(path);
    await rm(path);
    const { stdout } = await imgtool(['run', 'in', ...many, '--json'], { cwd });
    expect(JSON.parse(String(stdout)).outcomes[0].outputs).toHaveLength(1);
    expect(await readFile(path)).toEqual(before);
  });

  test('never grow a small picture', async () => {
    const cwd = await folderWith(photos().find((path) => path.endsWith('rocket.jpg')) ?? '', 'x.jpg');
    const { stdout } = await imgtool(['run', 'in', '--sizes', '4000,100', '--json'], { cwd });
    expect(
      JSON.parse(String(stdout)).outcomes[0].outputs.map(({ width }: { width: number }) => width),
    ).toEqual([640, 100]);
  });

  test('take all frames where the format holds them and the first elsewhere', async () => {
    const cwd = await folderWith(fixture('animated/distinct.gif'), 'x.gif');
    const { stdout } = await imgtool(['run', 'in', '--formats', 'webp,jpeg', '--json'], { cwd });
    const [outcome] = JSON.parse(String(stdout)).outcomes;
    const frames = Object.fromEntries(
      outcome.outputs.map((output: { format: string; frames: number }) => [output.format, output.frames]),
    );
    expect(frames.jpeg).toBe(1);
    expect(frames.webp).toBeGreaterThan(1);
    expect(outcome.notes.join()).toContain('took the first of');
  });

  test('are refused on standard output, in place, and when their names are equal', async () => {
    const cwd = await folderWith(photo, 'x.jpg');
    for (const args of [['--out', '-'], ['--in-place'], ['--name', '{name}.{ext}']]) {
      const { exitCode, stderr } = await imgtool(['run', 'in', '--sizes', '100,50', ...args], { cwd });
      expect([args, exitCode]).toEqual([args, 2]);
      expect(stderr).toMatch(/E_USAGE|E_COLLISION/);
    }
  });
});
