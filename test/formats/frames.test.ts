import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ANIMATION, GIF_COLOURS, wandering } from '../../fixtures/animated.js';
import { UNEQUAL_PAGES } from '../../fixtures/tiff.js';
import { joinTiffs } from '../../src/codecs/tiff-join.js';
import { decoded } from '../operations/decoded.js';
import { apart, drawn, flipped, meanOf, type Picture, quarters, seen } from '../operations/naive.js';
import { one, run, told } from '../operations/run.js';
import { fixture, tempDir } from '../support/fixtures.js';

const GIF = fixture('animated/distinct.gif');
const WEBP = fixture('animated/distinct.webp');
const frames = (path: string, count = 4) =>
  Promise.all(Array.from({ length: count }, (_, i) => decoded(path, i)));

describe('an animation', () => {
  const moves = [
    ['rotate', ['--angle', '180'], (frame: Picture) => quarters(frame, 2)],
    ['rotate', ['--angle', '90'], (frame: Picture) => quarters(frame, 1)],
    ['rotate', ['--flip'], flipped],
  ] as const;

  it.each(moves)(
    'has each frame moved on its own and in its place by %s %j',
    async (command, flags, move) => {
      for (const { path } of await run(command, [GIF, WEBP], flags)) {
        const sources = await frames(path.endsWith('gif') ? GIF : WEBP);
        for (const [i, frame] of (await frames(path)).entries())
          expect(
            apart(seen(frame), seen(move(sources[i] ?? frame))).most,
            `${path} ${i}`,
          ).toBeLessThanOrEqual(1);
      }
    },
  );

  it('is filtered frame by frame: nothing bleeds from one into the next', async () => {
    const nearest = (value: number) => Math.floor(value + 0.5);
    const { path } = await one('mean', WEBP, ['--size', '5']);
    const sources = await frames(WEBP);
    for (const [i, frame] of (await frames(path)).entries()) {
      const wanted = meanOf(sources[i] ?? frame, 5, nearest);
      expect(apart(frame, wanted).most, `${i}`).toBeLessThanOrEqual(1);
    }
  });

  it('is resized frame by frame: each keeps its own colour up to its border', async () => {
    for (const { path, width, height, frames: count } of await run(
      'resize',
      [GIF, WEBP],
      ['--width', '32'],
    )) {
      expect([width, height, count]).toEqual([32, 24, 4]);
      for (const [i, frame] of (await frames(path)).entries()) {
        const own = GIF_COLOURS[i] ?? [0, 0, 0];
        const bottom = Array.from({ length: 30 }, (_, x) =>
          [0, 1, 2].map((c) => frame.data[(23 * 32 + x) * frame.channels + c] ?? 0),
        );
        for (const pixel of bottom)
          expect(
            Math.max(...pixel.map((value, c) => Math.abs(value - own[c as 0 | 1 | 2]))),
            path,
          ).toBeLessThanOrEqual(2);
      }
    }
  });

  it('keeps delays and loop, from GIF to WebP and back', async () => {
    const webp = await one('resize', GIF, ['--width', '40', '--format', 'webp', '--lossless']);
    const gif = await one('resize', webp.path, ['--width', '40', '--format', 'gif']);
    for (const { path } of [webp, gif]) {
      const { pages, delay, loop } = await sharp(path).metadata();
      expect([pages, delay, loop], path).toEqual([4, ANIMATION.delays, (await sharp(GIF).metadata()).loop]);
    }
  });

  it('is taken as a whole, as its first, or as its first few', async () => {
    const counts = { all: 4, first: 1, 2: 2, 9: 4 };
    for (const [wanted, count] of Object.entries(counts)) {
      const { path, frames: made } = await one('rotate', GIF, ['--angle', '180', '--frames', wanted]);
      expect([made, (await sharp(path).metadata()).pages ?? 1], wanted).toEqual([count, count]);
      const [first] = await frames(path, 1);
      const wandered = drawn(
        { channels: 3, most: 255 },
        64,
        48,
        (x, y) => GIF_COLOURS[wandering(0)(63 - x, 47 - y)] ?? [0, 0, 0],
      );
      expect(first && apart(seen(first), seen(wandered)).most).toBeLessThanOrEqual(1);
    }
  });

  it('becomes a JPEG of its first frame, and says so; a picture asked for by --frames first says nothing', async () => {
    const results = await run('thumbnail', [GIF, WEBP], ['--format', 'jpeg']);
    for (const { notes, frames: count } of results) {
      expect(count).toBe(1);
      expect(notes.join()).toContain('took the first of 4 frames');
    }
    const asked = await one('thumbnail', GIF, ['--format', 'jpeg', '--frames', 'first']);
    expect(asked.notes.join()).not.toContain('first of');
  });

  it('of partial frames is composed before it is worked on', async () => {
    const file = fixture('animated/partial.gif');
    const { path } = await one('rotate', file, ['--flip', '--format', 'webp', '--lossless']);
    for (const [i, frame] of (await frames(path)).entries()) {
      const source = flipped(await decoded(file, i));
      expect(apart(seen(frame), seen(source)).most, `${i}`).toBeLessThanOrEqual(1);
    }
  });
});

describe('pages of a TIFF', () => {
  it('of one size are all there, each turned', async () => {
    const file = fixture('tiff/pages-equal.tif');
    const { path } = await one('rotate', file, ['--angle', '90']);
    const sources = await frames(file, 3);
    for (const [i, page] of (await frames(path, 3)).entries())
      expect(apart(page, quarters(sources[i] ?? page, 1)), `${i}`).toEqual({ most: 0, mean: 0 });
  });

  it('of several sizes go one by one, each by the size it has', async () => {
    const file = fixture('tiff/pages-unequal.tif');
    const turned = await one('rotate', file, ['--angle', '90']);
    for (const [i, page] of (await frames(turned.path, 3)).entries())
      expect(apart(page, quarters(await decoded(file, i), 1)), `${i}`).toEqual({ most: 0, mean: 0 });
    const thumb = await one('thumbnail', file, ['--size', '30']);
    const sizes = (await frames(thumb.path, 3)).map(({ width, height }) => `${width}x${height}`);
    expect(sizes).toEqual(
      UNEQUAL_PAGES.map(({ width, height }) =>
        [width, height].map((side) => Math.round((side * 30) / Math.max(width, height))).join('x'),
      ),
    );
    expect([thumb.frames, (await sharp(thumb.path).metadata()).pages]).toEqual([3, 3]);
  });

  it('of several kinds keep their kinds', async () => {
    const file = await mixed();
    const { path } = await one('rotate', file, ['--angle', '180']);
    for (const i of [0, 1, 2])
      expect(apart(await decoded(path, i), quarters(await decoded(file, i), 2)), `${i}`).toEqual({
        most: 0,
        mean: 0,
      });
  });

  it('of several sizes become an animation once scaled to one size, else a plain error', async () => {
    const file = fixture('tiff/pages-unequal.tif');
    const scaled = await one('scale', file, ['--size', '40x40', '--format', 'webp']);
    expect([scaled.frames, (await sharp(scaled.path).metadata()).pages]).toEqual([3, 3]);
    const [failed] = await told('thumbnail', [file], ['--format', 'webp']);
    expect(failed?.error).toMatchObject({
      code: 'E_ENCODE',
      message: expect.stringContaining('pages of one size'),
    });
  });
});

/** Gray, RGB and 16-bit gray pages of one size, joined by libtiff's own directories. */
async function mixed(): Promise<string> {
  const pages = await Promise.all([
    sharp(fixture('png/gray.png')).toColourspace('b-w').tiff().toBuffer(),
    sharp(fixture('png/rgb.png'))
      .tiff({ compression: 'lzw', tile: true, tileWidth: 32, tileHeight: 32 })
      .toBuffer(),
    sharp(fixture('png/gray16.png')).toColourspace('grey16').tiff().toBuffer(),
  ]);
  const path = `${await tempDir()}/mixed.tif`;
  await writeFile(path, joinTiffs(pages));
  return path;
}
