import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fixture, tempDir } from '../support/fixtures.js';
import { decoded } from './decoded.js';
import { apart, at, drawn, flipped, flopped, type Picture, quarters, upright } from './naive.js';
import { readPng } from './read-png.js';
import { one, run } from './run.js';

const EVERY_KIND = [
  'png/rgb.png',
  'png/rgba.png',
  'png/gray.png',
  'png/gray-alpha.png',
  'png/gray16.png',
  'png/rgb16.png',
  'png/rgba16.png',
  'tiny/1x64.png',
].map(fixture);
const EXACT = { most: 0, mean: 0 };

describe('rotate by quarters and mirrors moves pixels and changes none', () => {
  const moves: readonly [flags: string[], move: (from: Picture) => Picture][] = [
    [['--angle', '90'], (from) => quarters(from, 1)],
    [['--angle', '180'], (from) => quarters(from, 2)],
    [['--angle', '270'], (from) => quarters(from, 3)],
    [['--angle=-90'], (from) => quarters(from, 3)],
    [['--angle', '450'], (from) => quarters(from, 1)],
    [['--flip'], flipped],
    [['--flop'], flopped],
    [['--flip', '--angle', '90'], (from) => quarters(flipped(from), 1)],
    [['--flip', '--flop', '--angle', '270'], (from) => quarters(flopped(flipped(from)), 3)],
  ];
  it.each(moves)('%j, gray to RGB with alpha, 8 and 16 bits', async (flags, move) => {
    const results = await run('rotate', EVERY_KIND, flags);
    for (const [i, file] of EVERY_KIND.entries()) {
      const made = await readPng(results[i]?.path ?? '');
      expect(apart(made, move(await readPng(file))), file).toEqual(EXACT);
    }
  });

  it('a whole turn writes the picture as it is', async () => {
    const { path } = await one('rotate', fixture('png/rgb16.png'), ['--angle', '720']);
    expect(apart(await readPng(path), await readPng(fixture('png/rgb16.png')))).toEqual(EXACT);
  });
});

describe('the EXIF orientation', () => {
  const files = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => fixture(`oriented/orientation-${n}.jpg`));
  const others = ['png', 'webp', 'tif'].map((ext) => fixture(`oriented/orientation-6.${ext}`));

  it('is applied before the first step, so a turn is of the picture as shown', async () => {
    const all = [...files, ...others];
    for (const [flags, turns] of [
      [['--angle', '90'], 1],
      [['--angle', '180'], 2],
    ] as const) {
      const results = await run('rotate', all, [...flags, '--format', 'png']);
      for (const [i, file] of all.entries()) {
        const orientation = i < 8 ? i + 1 : 6;
        const wanted = quarters(upright(await decoded(file), orientation), turns);
        expect(apart(await readPng(results[i]?.path ?? ''), wanted), file).toEqual(EXACT);
      }
    }
  });

  it('is applied before a mirror too', async () => {
    const results = await run('rotate', files, ['--flip', '--format', 'png']);
    for (const [i, file] of files.entries()) {
      const wanted = flipped(upright(await decoded(file), i + 1));
      expect(apart(await readPng(results[i]?.path ?? ''), wanted), file).toEqual(EXACT);
    }
  });

  it('is left alone with --no-auto-orient', async () => {
    const results = await run(
      'rotate',
      [...files, ...others],
      ['--angle', '90', '--no-auto-orient', '--format', 'png'],
    );
    for (const [i, file] of [...files, ...others].entries())
      expect(apart(await readPng(results[i]?.path ?? ''), quarters(await decoded(file), 1)), file).toEqual(
        EXACT,
      );
  });

  it('turns a thumbnail and what `size` says alike', async () => {
    const results = await run('thumbnail', files, ['--size', '60', '--format', 'png']);
    for (const result of results) {
      expect([result.width, result.height]).toEqual([60, 40]);
      const made = await readPng(result.path);
      const corners = [at(made, 3, 3), at(made, 56, 3), at(made, 3, 36), at(made, 56, 36)];
      const wanted = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
      ];
      const far = corners.flat().map((value, i) => Math.abs(value - (wanted.flat()[i] ?? 0)));
      expect(Math.max(...far), result.path).toBeLessThanOrEqual(12);
    }
  });
});

describe('rotate by any other angle', () => {
  const angles = [12.5, 45, -30, 100, 359];

  it.each(angles)('%d degrees grows the canvas and shows the background in its corners', async (angle) => {
    const file = fixture('png/rgb.png');
    const { path, width, height } = await one('rotate', file, [
      `--angle=${angle}`,
      '--background',
      '#102030',
    ]);
    const made = await readPng(path);
    const radians = (angle * Math.PI) / 180;
    const [sine, cosine] = [Math.abs(Math.sin(radians)), Math.abs(Math.cos(radians))];
    expect(Math.abs(width - (96 * cosine + 64 * sine))).toBeLessThan(1);
    expect(Math.abs(height - (96 * sine + 64 * cosine))).toBeLessThan(1);
    expect([made.width, made.height]).toEqual([width, height]);
    if (angle !== 359) expect(at(made, 0, 0)).toEqual([0x10, 0x20, 0x30]);
  });

  it('moves each inner pixel to where its angle says', async () => {
    const smooth = await slope();
    const { path } = await one('rotate', smooth, ['--angle', '20', '--background', 'black']);
    const [made, source] = [await readPng(path), await readPng(smooth)];
    const [sine, cosine] = [Math.sin((20 * Math.PI) / 180), Math.cos((20 * Math.PI) / 180)];
    const back = (x: number, y: number) => {
      const [dx, dy] = [x - (made.width - 1) / 2, y - (made.height - 1) / 2];
      return [
        dx * cosine + dy * sine + (source.width - 1) / 2,
        dy * cosine - dx * sine + (source.height - 1) / 2,
      ] as const;
    };
    let worst = 0;
    for (let y = 0; y < made.height; y += 1) {
      for (let x = 0; x < made.width; x += 1) {
        const [u, v] = back(x, y);
        if (u < 3 || v < 3 || u > source.width - 4 || v > source.height - 4) continue;
        const [r = 0, g = 0] = at(made, x, y);
        worst = Math.max(worst, Math.abs(r - 2 * u), Math.abs(g - 3 * v));
      }
    }
    // the canvas is whole pixels, so its middle may lie half a pixel off: one pixel is three levels here
    expect(worst).toBeLessThan(3.5);
  });

  it('opens clear corners where the format has alpha, and white ones in a JPEG', async () => {
    const [clear, gray] = await run(
      'rotate',
      [fixture('png/rgb.png'), fixture('png/gray.png')],
      ['--angle', '45'],
    );
    expect(at(await readPng(clear?.path ?? ''), 0, 0)).toEqual([0, 0, 0, 0]);
    expect(at(await readPng(gray?.path ?? ''), 0, 0)).toEqual([0, 0]);
    const jpeg = await one('rotate', fixture('png/rgb.png'), ['--angle', '45', '--format', 'jpeg']);
    expect(at(await decoded(jpeg.path), 0, 0).every((value) => value >= 253)).toBe(true);
  });

  it('keeps clear corners through a filter that follows', async () => {
    const files = ['png/gray.png', 'png/rgb.png', 'png/gray16.png', 'png/rgb16.png'].map(fixture);
    for (const more of [[], ['--op', 'mean:size=3']]) {
      for (const { path } of await run('run', files, ['--op', 'rotate:angle=45', ...more])) {
        const made = await readPng(path);
        expect(at(made, 0, 0).at(-1), path).toBe(0);
        expect(at(made, made.width >> 1, made.height >> 1).at(-1), path).toBe(made.most);
      }
    }
  });
});

/** A PNG of 100x80 that rises by 2 levels a column and by 3 a row. */
async function slope(): Promise<string> {
  const { data, width, height } = drawn({ channels: 3, most: 255 }, 100, 80, (x, y) => [2 * x, 3 * y, 0]);
  const path = `${await tempDir()}/slope.png`;
  await sharp(Buffer.from(Array.from(data)), { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}
