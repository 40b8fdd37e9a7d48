import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { decoded } from './decoded.js';
import { made, plain, waves } from './made.js';
import { apart, at, cropped, drawn, lanczos, type Picture } from './naive.js';
import { readPng } from './read-png.js';
import { one, run } from './run.js';

const EXACT = { most: 0, mean: 0 };
const sizes = (results: readonly { width: number; height: number }[]) =>
  results.map(({ width, height }) => `${width}x${height}`);

describe('thumbnail', () => {
  it('rounds to the nearest pixel, keeps at least one, never enlarges', async () => {
    const inputs = [
      await plain(613, 624),
      await plain(1996, 830),
      await plain(1000, 3),
      await plain(60, 40),
      fixture('tiny/9000x2.png'),
      fixture('tiny/1x64.png'),
      fixture('tiny/1x1.jpg'),
      fixture('tiny/1x1.gif'),
      fixture('svg/corners.svg'),
    ];
    const results = await run('thumbnail', inputs);
    expect(sizes(results).slice(0, 8)).toEqual([
      '98x100',
      '100x42',
      '100x1',
      '60x40',
      '100x1',
      '1x64',
      '1x1',
      '1x1',
    ]);
    for (const { path, width, height, format } of results) {
      const { width: w, height: h } = await decoded(path);
      expect([w, h], path).toEqual([width, height]);
      expect(path.endsWith(`.${format === 'jpeg' ? 'jpg' : format}`), path).toBe(true);
    }
    expect(results[8]?.format).toBe('png');
  });

  it('fits a box given as WxH, as `resize --thumb` does', async () => {
    const file = await made('waves', 300, 200, waves);
    const boxed = await one('thumbnail', file, ['--size', '90x30']);
    const thumb = await one('resize', file, ['--thumb', '90x30']);
    expect(sizes([boxed, thumb])).toEqual(['45x30', '45x30']);
    expect(apart(await readPng(boxed.path), await readPng(thumb.path))).toEqual(EXACT);
  });
});

describe('resize', () => {
  it('resamples as Lanczos does, to two levels inside and a mean of half a level', async () => {
    const file = await made('waves', 150, 90, waves);
    const source = await readPng(file);
    for (const [flags, width, height] of [
      [['--width', '100'], 100, 60],
      [['--height', '45'], 75, 45],
      [['--width', '210', '--enlarge'], 210, 126],
      [['--width', '50', '--height', '80', '--fit', 'fill'], 50, 80],
    ] as const) {
      const result = await readPng((await one('resize', file, flags)).path);
      const inner = (picture: Picture) => cropped(picture, 6, 6, width - 12, height - 12);
      const { most, mean } = apart(inner(result), rounded(inner(lanczos(source, width, height))));
      expect(most, flags.join(' ')).toBeLessThanOrEqual(2);
      expect(mean, flags.join(' ')).toBeLessThan(0.5);
    }
  });

  it('repeats pixels with --kernel nearest', async () => {
    const file = fixture('png/rgb.png');
    const result = await readPng(
      (await one('resize', file, ['--width', '288', '--enlarge', '--kernel', 'nearest'])).path,
    );
    const source = await readPng(file);
    const wanted = drawn(source, 288, 192, (x, y) => at(source, Math.floor(x / 3), Math.floor(y / 3)));
    expect(apart(result, wanted)).toEqual(EXACT);
  });

  it('meets its box in five ways, with and without --enlarge', async () => {
    const [large, small] = [await plain(90, 60), await plain(30, 20)];
    const fits = ['inside', 'outside', 'fill', 'cover', 'contain'];
    const made: Record<string, string[]> = {};
    for (const fit of fits) {
      const flags = ['--width', '60', '--height', '50', '--fit', fit];
      const kept = await run('resize', [large, small], flags);
      const grown = await run('resize', [large, small], [...flags, '--enlarge']);
      made[fit] = sizes([...kept, ...grown]);
      for (const { path, width, height } of [...kept, ...grown]) {
        const picture = await readPng(path);
        expect([picture.width, picture.height]).toEqual([width, height]);
      }
    }
    expect(made).toEqual({
      inside: ['60x40', '30x20', '60x40', '60x40'],
      outside: ['75x50', '30x20', '75x50', '75x50'],
      fill: ['60x50', '30x20', '60x50', '60x50'],
      cover: ['60x50', '30x20', '60x50', '60x50'],
      contain: ['60x50', '60x50', '60x50', '60x50'],
    });
  });

  const places = [
    ['centre', 16, 0],
    ['left', 0, 0],
    ['right', 32, 0],
    ['left top', 0, 0],
    ['right bottom', 32, 0],
    ['top', 16, 0],
  ] as const;

  it.each(places)(
    'cover keeps the %s: column %d of a picture that needs no scaling',
    async (position, left) => {
      const file = fixture('png/rgb.png');
      const flags = ['--width', '64', '--height', '64', '--fit', 'cover', '--position', position];
      const result = await readPng((await one('resize', file, flags)).path);
      expect(apart(result, cropped(await readPng(file), left, 0, 64, 64))).toEqual(EXACT);
    },
  );

  it('cover by entropy and attention keeps what is there to see', async () => {
    const file = await made('patch', 200, 60, (x, y) =>
      x > 150 && x < 190 && y > 10 && y < 50 ? [(x * 53) % 256, (y * 91) % 256, 40] : [200, 200, 200],
    );
    for (const position of ['entropy', 'attention']) {
      const flags = ['--width', '60', '--height', '60', '--fit', 'cover', '--position', position];
      const picture = await readPng((await one('resize', file, flags)).path);
      const seen = Array.from({ length: 3600 }, (_, i) => at(picture, i % 60, Math.floor(i / 60))[2] === 40);
      expect(seen.filter(Boolean).length, position).toBeGreaterThan(39 * 39 * 0.8);
    }
  });

  it('contain puts an untouched picture on the background, at its position', async () => {
    const file = fixture('png/rgb.png');
    const source = await readPng(file);
    const box = ['--width', '96', '--height', '100', '--fit', 'contain'];
    for (const [position, top] of [
      ['top', 0],
      ['centre', 18],
      ['bottom', 36],
    ] as const) {
      const flags = [...box, '--position', position, '--background', '#010203'];
      const inside = (y: number) => y >= top && y < top + 64;
      const wanted = drawn(source, 96, 100, (x, y) => (inside(y) ? at(source, x, y - top) : [1, 2, 3]));
      expect(apart(await readPng((await one('resize', file, flags)).path), wanted), position).toEqual(EXACT);
    }
    const clear = await readPng((await one('resize', file, box)).path);
    expect(at(clear, 0, 0)).toEqual([0, 0, 0, 0]);
    expect(at(clear, 0, 50)).toEqual([...at(source, 0, 32), 255]);
  });

  it('keeps one channel of gray, two with alpha, 16 bits, through one pass and several', async () => {
    const kinds = {
      'png/gray.png': [1, 255],
      'png/gray-alpha.png': [2, 255],
      'png/gray16.png': [1, 65_535],
      'png/rgba16.png': [4, 65_535],
    } as const;
    const files = Object.keys(kinds).map(fixture);
    const once = await run('resize', files, ['--width', '20']);
    const often = await run('run', files, [
      '--op',
      'resize:width=20',
      '--op',
      'mean:size=1',
      '--op',
      'resize:width=10',
      '--op',
      'mean',
    ]);
    for (const [i, [channels, most]] of Object.values(kinds).entries()) {
      for (const [results, width, passes] of [
        [once, 20, 1],
        [often, 10, 4],
      ] as const) {
        const picture = await readPng(results[i]?.path ?? '');
        expect([picture.channels, picture.most, picture.width], files[i]).toEqual([channels, most, width]);
        expect(results[i]?.passes, files[i]).toBe(passes);
      }
    }
  });
});

describe('scale', () => {
  it('alone means exactly 1024x768, by stretching', async () => {
    const results = await run('scale', [
      await plain(30, 300),
      fixture('png/rgb.png'),
      fixture('jpeg/baseline.jpg'),
    ]);
    expect(sizes(results)).toEqual(['1024x768', '1024x768', '1024x768']);
    const enlarged = await readPng(results[1]?.path ?? '');
    expect([
      at(enlarged, 20, 20),
      at(enlarged, 1000, 20),
      at(enlarged, 20, 740),
      at(enlarged, 1000, 740),
    ]).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 0],
    ]);
  });

  it('takes a factor or a percentage of the shown size', async () => {
    const files = [await made('waves', 151, 91, waves), fixture('oriented/orientation-6.jpg')];
    expect(sizes(await run('scale', files, ['--factor', '0.5']))).toEqual(['76x46', '60x40']);
    expect(sizes(await run('scale', files, ['--factor', '50%']))).toEqual(['76x46', '60x40']);
    expect(sizes(await run('scale', files, ['--factor', '150%']))).toEqual(['227x137', '180x120']);
  });

  it('letterboxes with contain, crops with cover, keeps the ratio with inside', async () => {
    const file = await plain(100, 50);
    const box = ['--size', '80x80', '--background', 'black'];
    const letter = await readPng((await one('scale', file, [...box, '--fit', 'contain'])).path);
    const wanted = drawn(letter, 80, 80, (_, y) => (y >= 20 && y < 60 ? [10, 120, 230] : [0, 0, 0]));
    expect(apart(letter, wanted)).toEqual(EXACT);
    const grown = await run('scale', [file], ['--size', '400x400', '--fit', 'inside']);
    const filled = await run('scale', [file], ['--size', '80x80', '--fit', 'cover']);
    expect(sizes([...grown, ...filled])).toEqual(['400x200', '80x80']);
  });
});

function rounded(picture: Picture): Picture {
  return { ...picture, data: Array.from(picture.data, Math.round) };
}
