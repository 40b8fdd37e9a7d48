import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { decoded } from './decoded.js';
import { apart, grayed } from './naive.js';
import { readPng } from './read-png.js';
import { run } from './run.js';

const KINDS = ['rgb', 'rgba', 'rgb16', 'rgba16'].map((kind) => fixture(`png/${kind}.png`));

/** Pillow's `L`: BT.601 in parts of 65536, a half added. */
const rec601 = (r: number, g: number, b: number) =>
  Math.floor((19_595 * r + 38_470 * g + 7_471 * b + 32_768) / 65_536);
/** BT.709 on the encoded values. */
const rec709 = (r: number, g: number, b: number) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

const linear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const encoded = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
/** CIE Y of linear sRGB, encoded again. */
const luminance = (most: number) => (r: number, g: number, b: number) =>
  most * encoded(0.2126 * linear(r / most) + 0.7152 * linear(g / most) + 0.0722 * linear(b / most));

describe('grayscale', () => {
  it('is the L of Pillow to the bit, one channel of it, alpha and 16 bits kept', async () => {
    const results = await run('grayscale', KINDS);
    for (const [i, file] of KINDS.entries())
      expect(apart(await readPng(results[i]?.path ?? ''), grayed(await readPng(file), rec601)), file).toEqual(
        { most: 0, mean: 0 },
      );
  });

  it('comes three times with --channels 3', async () => {
    const results = await run('grayscale', KINDS, ['--channels', '3']);
    for (const [i, file] of KINDS.entries())
      expect(
        apart(await readPng(results[i]?.path ?? ''), grayed(await readPng(file), rec601, 3)),
        file,
      ).toEqual({ most: 0, mean: 0 });
  });

  it('by rec709 is within a level of the weighted sum', async () => {
    const results = await run('grayscale', KINDS, ['--method', 'rec709']);
    for (const [i, file] of KINDS.entries())
      expect(
        apart(await readPng(results[i]?.path ?? ''), grayed(await readPng(file), rec709)).most,
        file,
      ).toBeLessThanOrEqual(1);
  });

  it('by luminance is within two levels of 255 of the light', async () => {
    for (const flags of [[], ['--channels', '3']]) {
      const results = await run('grayscale', KINDS, ['--method', 'luminance', ...flags]);
      for (const [i, file] of KINDS.entries()) {
        const source = await readPng(file);
        const wanted = grayed(source, luminance(source.most), flags.length === 0 ? 1 : 3);
        const { most } = apart(await readPng(results[i]?.path ?? ''), wanted);
        expect(most / (source.most / 255), file).toBeLessThanOrEqual(2);
      }
    }
  });

  it('leaves a gray picture as it is, and makes one-channel JPEG, WebP aside', async () => {
    const files = [fixture('png/gray.png'), fixture('png/gray16.png'), fixture('png/gray-alpha.png')];
    const results = await run('grayscale', files);
    for (const [i, file] of files.entries())
      expect(apart(await readPng(results[i]?.path ?? ''), await readPng(file)), file).toEqual({
        most: 0,
        mean: 0,
      });
    const [jpeg] = await run('grayscale', [fixture('jpeg/baseline.jpg')]);
    expect((await decoded(jpeg?.path ?? '')).channels).toBe(1);
  });

  it('works on the picture as it stands in the chain: after a turn with clear corners, before a resize', async () => {
    const files = KINDS.slice(0, 1);
    const flags = ['--op', 'rotate:angle=45', '--op', 'grayscale', '--op', 'resize:width=60'];
    const [result] = await run('run', files, flags);
    const picture = await readPng(result?.path ?? '');
    expect([picture.channels, picture.width]).toEqual([2, 60]);
    expect([picture.data[1], picture.data[2 * (30 * 60 + 30) + 1]]).toEqual([0, 255]);
  });
});
