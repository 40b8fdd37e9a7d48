import { describe, expect, it } from 'vitest';
import { directory, LITTLE, tiffHeader } from '../../../fixtures/exif.js';
import { CORNERS } from '../../../fixtures/scene.js';
import { gif } from '../../../fixtures/write-gif.js';
import { chunk, imageHeader, pngOf } from '../../../fixtures/write-png.js';
import { pageTags } from '../../../fixtures/write-tiff.js';
import { fixture } from '../../support/fixtures.js';
import { bytesOf } from '../workshop.js';
import { DOORS } from './doors.js';

type Sides = readonly [width: number, height: number];

/** A PNG whose header claims these sides over no pixels: what is refused was refused before it was decoded. */
function claimedPng([width, height]: Sides): Buffer {
  return pngOf([
    imageHeader({ width, height, depth: 1, colour: 'gray' }),
    chunk('IDAT', Buffer.from([0x78, 0x9c, 3, 0, 0, 0, 0, 1])),
  ]);
}

/** A TIFF whose pages claim these sides over no pixels. */
function claimedTiff(pages: readonly Sides[]): Buffer {
  const parts = [tiffHeader(LITTLE, 8)];
  let at = 8;
  for (const [index, [width, height]] of pages.entries()) {
    const tags = pageTags({ width, height, depth: 8, channels: 1 }, 4, 4, LITTLE);
    const { length } = directory(tags, at, 0, LITTLE);
    parts.push(directory(tags, at, index === pages.length - 1 ? 0 : at + length, LITTLE));
    at += length;
  }
  return Buffer.concat(parts);
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

const SCREEN = { width: 2000, height: 2000 };
const COLOURS = Object.values(CORNERS);
const DOT = { left: 0, top: 0, width: 1, height: 1, delay: 4, disposal: 1, indexAt: () => 1 } as const;
const animation = () => bytesOf(fixture('animated/distinct.gif'));
const small = () => bytesOf(fixture('png/rgb.png'));
const steps = (...list: object[]) => ({ steps: list });

/** What it is, the bytes, the recipe, and the code that each door must answer. */
const BOMBS: readonly (readonly [string, () => Buffer | Promise<Buffer>, object, string])[] = [
  [
    '900 megapixels in a small PNG',
    () => bytesOf(fixture('hostile/png-900-megapixels.png')),
    {},
    'E_LIMIT_PIXELS',
  ],
  ['a header of 4 gigapixels', () => claimedPng([65_535, 65_535]), {}, 'E_LIMIT_PIXELS'],
  ['200 frames of 800 megapixels', () => gif(SCREEN, COLOURS, times(200, DOT)), {}, 'E_LIMIT_PIXELS'],
  ['200 TIFF pages of 9 megapixels', () => claimedTiff(times(200, [3000, 3000])), {}, 'E_LIMIT_PIXELS'],
  [
    'a small TIFF page before 40 of 49 megapixels',
    () => claimedTiff([[8, 8], ...times<Sides>(40, [7000, 7000])]),
    {},
    'E_LIMIT_PIXELS',
  ],
  [
    'a small TIFF page before one of 4 gigapixels',
    () =>
      claimedTiff([
        [8, 8],
        [65_535, 65_535],
      ]),
    { outputs: [{ format: 'webp' }] },
    'E_LIMIT_PIXELS',
  ],
  [
    'small TIFF pages of two sizes, all enlarged',
    () =>
      claimedTiff([
        [8, 8],
        [9, 9],
      ]),
    steps({ op: 'scale', size: '6000x6000' }),
    'E_LIMIT_OUTPUT',
  ],
  [
    'a turn by 45 degrees',
    () => claimedPng([7000, 7000]),
    steps({ op: 'rotate', angle: 45 }),
    'E_LIMIT_OUTPUT',
  ],
  ['a scale by 1000', small, steps({ op: 'scale', factor: 1000 }), 'E_LIMIT_OUTPUT'],
  ['a scale by 100000 %', small, steps({ op: 'scale', factor: '100000%' }), 'E_LIMIT_OUTPUT'],
  ['a scale by 1e308 %', small, steps({ op: 'scale', factor: `1${'0'.repeat(308)}%` }), 'E_LIMIT_OUTPUT'],
  [
    'a canvas extended after a resize',
    small,
    steps({ op: 'resize', width: 10 }, { op: 'scale', size: '8000x8000', fit: 'contain' }),
    'E_LIMIT_OUTPUT',
  ],
  [
    'a step in between that is too large',
    small,
    steps({ op: 'scale', size: '8000x8000' }, { op: 'thumbnail', size: 10 }),
    'E_LIMIT_OUTPUT',
  ],
  [
    'turns that each grow a little',
    small,
    steps(...times(40, { op: 'rotate', angle: 45 })),
    'E_LIMIT_OUTPUT',
  ],
  ['frames that are small alone', animation, steps({ op: 'scale', size: '6000x6000' }), 'E_LIMIT_OUTPUT'],
  [
    'frames of the second of two results',
    animation,
    { ...steps({ op: 'scale', size: '6000x6000' }), outputs: [{ format: 'png' }, { format: 'webp' }] },
    'E_LIMIT_OUTPUT',
  ],
  ['a window of 1001', small, steps({ op: 'mean', size: 1001 }), 'OK'],
  ...[1003, 4, 0, -3, 1e9, 1e308, '3'].map(
    (size) => [`a window of ${size}`, small, steps({ op: 'mean', size }), 'E_RECIPE'] as const,
  ),
  ['65 steps', small, steps(...times(65, { op: 'mean' })), 'E_RECIPE'],
  ['65 results', small, { outputs: times(65, {}) }, 'E_RECIPE'],
  ['an angle of 1e308', small, steps({ op: 'rotate', angle: 1e308 }), 'E_RECIPE'],
  ['a quality of 1e9', small, { outputs: [{ quality: 1e9 }] }, 'E_RECIPE'],
  ['a key of __proto__', small, JSON.parse('{"steps":[],"__proto__":{"outputs":[]}}'), 'E_RECIPE'],
];

/** Texts that a pattern with two ways to read them would be tried on again and again. */
const LONG = 60_000;
const HOSTILE_TEXTS: readonly (readonly [string, object])[] = [
  ['a percentage of digits', steps({ op: 'scale', factor: '1'.repeat(LONG) })],
  ['a percentage of digits and a dot', steps({ op: 'scale', factor: `${'1'.repeat(LONG)}.` })],
  ['a size of digits', steps({ op: 'scale', size: `${'9'.repeat(LONG)}x` })],
  ['a colour of digits', steps({ op: 'rotate', angle: 3, background: `#${'f'.repeat(LONG)}` })],
  ['a mean of digits', { outputs: [{ format: 'npy', tensorScale: '1'.repeat(LONG) }] }],
  ['a deviation of digits', { outputs: [{ format: 'npy', tensorScale: `1/${'1'.repeat(LONG)}.` }] }],
  ['a name of dashes', { name: `${'-'.repeat(LONG)}!` }],
  ['an operation of letters', steps({ op: 'resize'.repeat(LONG / 6) })],
  ['a parameter of letters', steps({ op: 'resize', ['width'.repeat(LONG / 5)]: 1 })],
];

describe.each(DOORS)('%s', (_, opened) => {
  it('refuses each bomb before it is decoded, and serves on', async () => {
    const door = await opened();
    const codes: Record<string, string> = {};
    for (const [what, bytes, recipe] of BOMBS) codes[what] = (await door.ask(await bytes(), recipe)).code;
    expect(codes).toEqual(Object.fromEntries(BOMBS.map(([what, , , code]) => [what, code])));
    await door.unharmed();
  });

  it('refuses texts made to keep a pattern busy, in a few words, and serves on', async () => {
    const door = await opened();
    for (const [what, recipe] of HOSTILE_TEXTS) {
      const { code, said } = await door.ask(await small(), recipe);
      expect(code, what).toBe('E_RECIPE');
      expect(said.length, what).toBeLessThan(2000);
    }
    await door.unharmed();
  });
});

it('refuses hostile texts of megabytes on the command line, where nothing else bounds them', async () => {
  const [, opened] = DOORS[2] ?? [];
  const door = await opened?.();
  const huge = '1'.repeat(2_000_000);
  for (const recipe of [
    steps({ op: 'scale', factor: huge }),
    { outputs: [{ format: 'npy', tensorScale: huge }] },
  ])
    expect(await door?.ask(await small(), recipe)).toMatchObject({ code: 'E_RECIPE' });
});
