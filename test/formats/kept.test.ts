import { copyFile, readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decoded } from '../operations/decoded.js';
import { made, waves } from '../operations/made.js';
import { apart, at, drawn, quarters, seen } from '../operations/naive.js';
import { readPng } from '../operations/read-png.js';
import { bytesOf, one, run } from '../operations/run.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

const EXACT = { most: 0, mean: 0 };
const HALF_TURN = ['--angle', '180'];
const SEVERAL = [
  '--op',
  'rotate:angle=90',
  '--op',
  'mean:size=3',
  '--op',
  'rotate:angle=-90',
  '--op',
  'rotate:angle=180',
];

describe('a format is kept as it was', () => {
  it('16 bits in PNG and TIFF, exactly', async () => {
    const files = [
      'png/rgb16.png',
      'png/rgba16.png',
      'png/gray16.png',
      'tiff/rgb16.tif',
      'tiff/gray16.tif',
    ].map(fixture);
    const results = await run('rotate', files, HALF_TURN);
    const often = await run('run', files, SEVERAL);
    for (const [i, file] of files.entries()) {
      const picture = await decoded(results[i]?.path ?? '');
      expect(apart(picture, quarters(await decoded(file), 2)), file).toEqual(EXACT);
      expect((await decoded(often[i]?.path ?? '')).most, file).toBe(65_535);
    }
  });

  it('16 bits become 8 where the format has no more, by the upper byte', async () => {
    const { path } = await one('rotate', fixture('png/rgb16.png'), [
      ...HALF_TURN,
      '--format',
      'webp',
      '--lossless',
    ]);
    const source = quarters(await readPng(fixture('png/rgb16.png')), 2);
    const wanted = { ...source, most: 255, data: Array.from(source.data, (value) => value >> 8) };
    expect(apart(await decoded(path), wanted).most).toBeLessThanOrEqual(1);
  });

  it('a palette stays one, its transparency too; 1-bit gray stays gray; interlaced files are read', async () => {
    const files = [
      'png/palette.png',
      'png/palette-transparent.png',
      'png/1-bit.png',
      'png/interlaced.png',
    ].map(fixture);
    const [palette, clear, bilevel, interlaced] = await run('rotate', files, HALF_TURN);
    for (const [result, file] of [
      [palette, files[0]],
      [clear, files[1]],
    ] as const) {
      const picture = await readPng(result?.path ?? '');
      expect(picture.colourType).toBe(3);
      expect(
        apart(seen(picture), seen(quarters(await readPng(file ?? ''), 2))).most,
        file,
      ).toBeLessThanOrEqual(1);
    }
    expect(apart(await readPng(bilevel?.path ?? ''), quarters(await readPng(files[2] ?? ''), 2))).toEqual(
      EXACT,
    );
    expect(apart(await readPng(interlaced?.path ?? ''), quarters(await decoded(files[3] ?? ''), 2))).toEqual(
      EXACT,
    );
  });

  it.each([
    ['that keeps its format', []],
    ['asked for', ['--format', 'png']],
  ])('a PNG %s loses nothing by --quality', async (_, format) => {
    const files = ['png/rgb.png', 'png/rgb16.png', 'png/rgba.png', 'png/palette.png'].map(fixture);
    const plain = await run('rotate', files, [...HALF_TURN, ...format]);
    const rated = await run('rotate', files, [...HALF_TURN, ...format, '--quality', '30']);
    for (const [i, result] of rated.entries())
      expect((await bytesOf(result)).equals(await bytesOf(plain[i] ?? result)), files[i]).toBe(true);
  });

  it('gray JPEG and PNG stay at one channel, gray WebP at equal ones', async () => {
    const results = await run('thumbnail', [fixture('jpeg/gray.jpg'), fixture('png/gray.png')]);
    for (const { path } of results) expect((await sharp(path).metadata()).channels, path).toBe(1);
  });

  it('lossless WebP stays lossless, lossy stays lossy, --lossless makes it so', async () => {
    const files = ['webp/lossless.webp', 'webp/lossy.webp'].map(fixture);
    const [kept, lossy] = await run('rotate', files, HALF_TURN);
    expect(apart(await decoded(kept?.path ?? ''), quarters(await decoded(files[0] ?? ''), 2))).toEqual(EXACT);
    expect((await readFile(lossy?.path ?? '')).includes('VP8L')).toBe(false);
    const [, asked] = await run('rotate', files, [...HALF_TURN, '--lossless']);
    expect(apart(await decoded(asked?.path ?? ''), quarters(await decoded(files[1] ?? ''), 2))).toEqual(
      EXACT,
    );
  });

  it('SVG becomes PNG, AVIF stays AVIF with its alpha', async () => {
    const files = ['svg/corners.svg', 'avif/plain.avif', 'avif/alpha.avif'].map(fixture);
    const [drawing, plain, alpha] = await run('thumbnail', files);
    const svg = await readPng(drawing?.path ?? '');
    expect(at(svg, 2, 2)).toEqual([255, 0, 0, 255]);
    expect([plain?.format, alpha?.format]).toEqual(['avif', 'avif']);
    expect((await sharp(alpha?.path).metadata()).hasAlpha).toBe(true);
  });

  it('every format can be asked for, and the bytes are what the extension says', async () => {
    const names = {
      jpeg: /\.jpe?g$/,
      png: /\.png$/,
      webp: /\.webp$/,
      avif: /\.avif$/,
      gif: /\.gif$/,
      tiff: /\.tiff?$/,
      npy: /\.npy$/,
    };
    const files = [
      'png/rgb.png',
      'jpeg/baseline.jpg',
      'webp/lossy.webp',
      'tiff/deflate.tif',
      'svg/corners.svg',
    ].map(fixture);
    for (const [format, extension] of Object.entries(names)) {
      for (const { path, width, height } of await run('thumbnail', files, [
        '--size',
        '40',
        '--format',
        format,
      ])) {
        expect(path, format).toMatch(extension);
        if (format === 'npy') continue;
        const seen = await sharp(path).metadata();
        expect([seen.format, seen.width, seen.height], path).toEqual([
          format === 'avif' ? 'heif' : format,
          width,
          height,
        ]);
      }
    }
  });

  it('transparency in a JPEG is laid on the background, and said', async () => {
    const file = fixture('png/rgba.png');
    const source = await readPng(file);
    for (const [flags, ground] of [
      [[], 255],
      [['--background', 'black'], 0],
    ] as const) {
      const result = await one('mean', file, [
        '--size',
        '1',
        '--format',
        'jpeg',
        '--quality',
        '100',
        ...flags,
      ]);
      expect(result.notes.join()).toMatch(/transparency laid on (white|black)/);
      const wanted = drawn({ channels: 3, most: 255 }, source.width, source.height, (x, y) => {
        const [r = 0, g = 0, b = 0, a = 0] = at(source, x, y);
        return [r, g, b].map((value) => Math.round((value * a + ground * (255 - a)) / 255));
      });
      expect(apart(await decoded(result.path), wanted).mean).toBeLessThan(3);
    }
    expect((await one('thumbnail', fixture('png/rgb.png'), ['--format', 'jpeg'])).notes).toEqual([]);
  });
});

describe('speed changes no byte', () => {
  it('a progressive JPEG gives the thumbnail that sharp alone makes', async () => {
    const files = [...photos(), fixture('jpeg/progressive.jpg')];
    for (const { path, width, height } of await run('thumbnail', files, [
      '--metadata',
      'none',
      '--size',
      '40',
    ])) {
      const source = files.find(
        (file) => file.split('/').at(-1)?.split('.')[0] === path.split('/').at(-1)?.split('.')[0],
      );
      const alone = await sharp(source, { autoOrient: true })
        .resize({ width, height, fit: 'fill' })
        .jpeg({ quality: 80 })
        .toBuffer();
      expect(apart(await decoded(path), await decoded(alone)), path).toEqual(EXACT);
    }
  });

  it('two runs and any --concurrency write the same bytes', async () => {
    const files = [
      fixture('jpeg/baseline.jpg'),
      fixture('png/rgba.png'),
      fixture('animated/distinct.gif'),
      fixture('avif/plain.avif'),
      fixture('metadata/rights.tif'),
    ];
    const flags = ['--op', 'rotate:angle=7', '--op', 'mean:size=5'];
    const runs = await Promise.all(
      ['1', '4', '4'].map((n) => run('run', files, [...flags, '--concurrency', n])),
    );
    const bytes = await Promise.all(runs.map((results) => Promise.all(results.map(bytesOf))));
    for (const i of files.keys()) {
      expect(bytes[1]?.[i]?.equals(bytes[0]?.[i] ?? Buffer.alloc(0)), files[i]).toBe(true);
      expect(bytes[2]?.[i]?.equals(bytes[0]?.[i] ?? Buffer.alloc(0)), files[i]).toBe(true);
    }
  });

  it('tells how many passes a recipe took', async () => {
    const file = await made('waves', 90, 60, waves);
    const cases = [
      [1, ['resize:width=50', 'rotate:angle=90', 'grayscale']],
      [3, ['rotate:angle=90', 'rotate:angle=30', 'rotate:angle=60']],
      [3, ['resize:width=50', 'mean:size=3', 'resize:width=20']],
      [2, ['resize:width=50', 'resize:width=20']],
      [1, ['resize:width=500']],
    ] as const;
    for (const [passes, steps] of cases)
      expect(
        (
          await one(
            'run',
            file,
            steps.flatMap((step) => ['--op', step]),
          )
        ).passes,
        steps.join(),
      ).toBe(passes);
  });
});

describe('a name that libvips would take for loader options', () => {
  it('is a file like any other', async () => {
    const path = `${await tempDir()}/scan.tif[page=1]`;
    await copyFile(fixture('tiff/pages-unequal.tif'), path);
    const result = await one('thumbnail', path, ['--frames', 'first', '--format', 'png']);
    expect([result.width, result.height]).toEqual([60, 40]);
  });
});
