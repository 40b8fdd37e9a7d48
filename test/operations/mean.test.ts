import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { apart, meanOf } from './naive.js';
import { readPng } from './read-png.js';
import { one, run } from './run.js';

const KINDS = ['rgb', 'gray', 'rgba', 'gray-alpha', 'gray16', 'rgb16', 'rgba16'].map((kind) =>
  fixture(`png/${kind}.png`),
);
const nearest = (value: number) => Math.floor(value + 0.5);

describe('mean', () => {
  it('averages the pixels inside the window that the picture has, colours by their alpha, to the bit', async () => {
    const results = await run('mean', KINDS);
    for (const [i, file] of KINDS.entries())
      expect(
        apart(await readPng(results[i]?.path ?? ''), meanOf(await readPng(file), 3, nearest)),
        file,
      ).toEqual({ most: 0, mean: 0 });
  });

  it('does so for a window of 51, rounded down when asked', async () => {
    for (const [flags, round] of [
      [[], nearest],
      [['--rounding', 'floor'], Math.floor],
    ] as const) {
      const files = [fixture('tiny/64x1.png'), fixture('tiny/1x64.png'), fixture('png/rgba.png')];
      const results = await run('mean', files, ['--size', '51', ...flags]);
      for (const [i, file] of files.entries())
        expect(
          apart(await readPng(results[i]?.path ?? ''), meanOf(await readPng(file), 51, round)),
          file,
        ).toEqual({ most: 0, mean: 0 });
    }
  });

  it('gives one colour for a window larger than the picture', async () => {
    const file = fixture('png/rgb.png');
    const picture = await readPng((await one('mean', file, ['--size', '1001'])).path);
    const source = await readPng(file);
    const sums = [0, 1, 2].map((channel) =>
      Array.from(source.data)
        .filter((_, i) => i % 3 === channel)
        .reduce((sum, value) => sum + value, 0),
    );
    const mean = sums.map((sum) => nearest(sum / (source.width * source.height)));
    expect(
      new Set(
        Array.from({ length: 96 * 64 }, (_, i) =>
          Array.from({ length: 3 }, (__, c) => picture.data[3 * i + c]).join(),
        ),
      ),
    ).toEqual(new Set([mean.join()]));
  });

  it('of a window of 1 writes the picture as it is', async () => {
    const { path, passes } = await one('mean', fixture('png/rgba16.png'), ['--size', '1']);
    expect(apart(await readPng(path), await readPng(fixture('png/rgba16.png')))).toEqual({
      most: 0,
      mean: 0,
    });
    expect(passes).toBe(1);
  });
});
