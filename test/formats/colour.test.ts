import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { PATCHES, TAGGED } from '../../fixtures/colour.js';
import { profile, SPACES, toSrgb } from '../../fixtures/icc.js';
import { decoded } from '../operations/decoded.js';
import { apart, at } from '../operations/naive.js';
import { readPng } from '../operations/read-png.js';
import { one, run } from '../operations/run.js';
import { fixture, tempDir } from '../support/fixtures.js';

/** Any step that leaves flat colours as they are: one pass, and several through the mean's kernel. */
const ONE_PASS = ['--op', 'rotate:angle=180', '--op', 'rotate:angle=180'];
const SEVERAL = ['--op', 'mean:size=3', '--op', 'mean:size=3'];
const files = TAGGED.map(({ file }) => fixture(file));

describe('a picture tagged Display P3, Adobe RGB or sRGB', () => {
  it.each([
    ['in one pass', ONE_PASS],
    ['in several passes', SEVERAL],
  ])('becomes sRGB of the same colours, without a profile, %s', async (_, steps) => {
    const results = await run('run', files, steps);
    for (const [i, { file, space }] of TAGGED.entries()) {
      const path = results[i]?.path ?? '';
      const picture = await decoded(path);
      expect((await sharp(path).metadata()).icc, file).toBeUndefined();
      for (const [n, patch] of PATCHES.entries()) {
        const far = at(picture, 16 * n + 8, 16).map((value, c) =>
          Math.abs(value - (toSrgb(space, patch)[c] ?? 0)),
        );
        // a JPEG's own loss comes on top of the conversion's rounding
        expect(Math.max(...far), `${file} ${patch}`).toBeLessThanOrEqual(file.endsWith('.jpg') ? 6 : 2);
      }
    }
  });

  it.each([
    ['in one pass', ONE_PASS],
    ['in several passes', SEVERAL],
  ])('keeps its numbers and its profile with --keep-profile, %s', async (_, steps) => {
    // AVIF too, whose encoder takes them from its input alone
    for (const format of steps === ONE_PASS ? ['keep', 'webp'] : ['png', 'webp', 'tiff', 'jpeg', 'avif']) {
      const results = await run('run', files, [
        ...steps,
        '--keep-profile',
        '--format',
        format,
        '--quality',
        '100',
      ]);
      for (const [i, { file, space }] of TAGGED.entries()) {
        const path = results[i]?.path ?? '';
        const { icc } = await sharp(path).metadata();
        expect(icc?.equals(profile(space)), `${file} to ${format}`).toBe(true);
        const picture = await raw(path);
        for (const [n, patch] of PATCHES.entries()) {
          const far = at(picture, 16 * n + 8, 16).map((value, c) => Math.abs(value - (patch[c] ?? 0)));
          expect(Math.max(...far), `${file} to ${format} ${patch}`).toBeLessThanOrEqual(6);
        }
      }
    }
  });

  it('loses a profile that its result cannot wear, and says so', async () => {
    const result = await one('grayscale', fixture('colour/display-p3.png'), ['--keep-profile']);
    expect((await sharp(result.path).metadata()).icc).toBeUndefined();
    expect(result.notes.join()).toContain('converted to sRGB');
    const wanted = PATCHES.map((patch) => toSrgb(SPACES.displayP3, patch)).map(
      ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b,
    );
    const picture = await readPng(result.path);
    const far = wanted.map((gray, n) => Math.abs(gray - (at(picture, 16 * n + 8, 16)[0] ?? 0)));
    expect(Math.max(...far)).toBeLessThanOrEqual(2);
  });
});

describe('a 16-bit picture tagged Display P3', () => {
  it('becomes 16-bit sRGB, or keeps numbers and profile', async () => {
    const file = `${await tempDir()}/deep.png`;
    await sharp(fixture('png/rgb16.png')).toColourspace('rgb16').withIccProfile('p3').png().toFile(file);
    const stored = await readPng(file);
    const reference = await sharp(file)
      .toColourspace('rgb16')
      .withIccProfile('srgb', { attach: false })
      .raw({ depth: 'ushort' })
      .toBuffer();
    const wanted = { ...stored, data: new Uint16Array(Uint8Array.from(reference).buffer) };
    for (const steps of [
      ['--op', 'rotate:angle=180', '--op', 'rotate:angle=180'],
      ['--op', 'rotate:angle=180', '--op', 'mean:size=1', '--op', 'rotate:flip=true,flop=true'],
    ]) {
      const kept = await readPng((await one('run', file, [...steps, '--keep-profile'])).path);
      expect(apart(kept, stored)).toEqual({ most: 0, mean: 0 });
      expect(kept.chunks).toContain('iCCP');
      const converted = await readPng((await one('run', file, steps)).path);
      expect(apart(converted, wanted).most).toBeLessThanOrEqual(257);
      expect(converted.chunks).not.toContain('iCCP');
    }
  });
});

describe('CMYK', () => {
  const file = fixture('jpeg/cmyk.jpg');

  it('becomes RGB as its decoder has it, its corners still red, green, blue and yellow', async () => {
    for (const flags of [[], ['--keep-profile']]) {
      const { path } = await one('mean', file, ['--size', '1', '--format', 'png', ...flags]);
      const picture = await readPng(path);
      expect(apart(picture, await decoded(file))).toEqual({ most: 0, mean: 0 });
      const [[r = 0, notR = 0], [, g = 0], [, , b = 0]] = [
        at(picture, 5, 5),
        at(picture, 155, 5),
        at(picture, 5, 115),
      ] as [number[], number[], number[]];
      expect(r - notR).toBeGreaterThan(100);
      expect(g).toBe(Math.max(...at(picture, 155, 5)));
      expect(b).toBe(Math.max(...at(picture, 5, 115)));
      expect(picture.chunks).not.toContain('iCCP');
    }
  });

  it('stays itself through several passes', async () => {
    const steps = [
      '--op',
      'mean:size=1',
      '--op',
      'rotate:angle=90',
      '--op',
      'mean:size=1',
      '--op',
      'rotate:angle=270',
    ];
    const { path } = await one('run', file, [...steps, '--format', 'png']);
    expect(apart(await readPng(path), await decoded(file))).toEqual({ most: 0, mean: 0 });
  });
});

/** The numbers as stored, whatever the profile says of them. */
async function raw(path: string) {
  const { data, info } = await sharp(path, { ignoreIcc: true })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, most: 255, data };
}
