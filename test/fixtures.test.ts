import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { ANIMATION } from '../fixtures/animated.js';
import { PATCHES, TAGGED } from '../fixtures/colour.js';
import type { Fixture } from '../fixtures/entry.js';
import { exif, GPS, RIGHTS } from '../fixtures/exif.js';
import { SPACES, toSrgb } from '../fixtures/icc.js';
import { UPRIGHT } from '../fixtures/jpeg.js';
import { makeFixtures } from '../fixtures/make.js';
import { FIXTURES } from '../fixtures/manifest.js';
import { CORNERS, type Rgb } from '../fixtures/scene.js';
import { UNEQUAL_PAGES } from '../fixtures/tiff.js';
import { FIXTURE_FOLDER, fixture, GENERATED, photos, tempDir } from './support/fixtures.js';

beforeAll(() => makeFixtures(GENERATED, FIXTURE_FOLDER));

const named = (kind: Fixture['kind']) => FIXTURES.filter((each) => each.kind === kind);

describe('the photographs', () => {
  it('are the bytes that the table of fixtures/README.md names', async () => {
    const table = await readFile(join(FIXTURE_FOLDER, 'README.md'), 'utf8');
    const rows = [
      ...table.matchAll(/^\| (\S+\.jpg) +\|.*\| +(\d+)x(\d+) +\| +(\d+) +\| +`([0-9a-f]{64})` +\|$/gm),
    ];
    const told = rows.map(
      ([, name, width, height, bytes, sha256]) => `${name} ${width}x${height} ${bytes} ${sha256}`,
    );
    expect(told).toEqual(await Promise.all(photos().map(described)));
  });

  it('hold portrait and landscape, progressive and baseline, in at most 6 MB', async () => {
    const facts = await Promise.all(photos().map((path) => sharp(path).metadata()));
    const sizes = await Promise.all(photos().map(async (path) => (await stat(path)).size));
    expect(new Set(facts.map(({ width, height }) => width < height))).toEqual(new Set([true, false]));
    expect(new Set(facts.map(({ isProgressive }) => isProgressive))).toEqual(new Set([true, false]));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(6e6);
  });
});

describe('the made files', () => {
  it('have names of their own', () => {
    expect(new Set(FIXTURES.map(({ file }) => file)).size).toBe(FIXTURES.length);
    expect(() => fixture('no/such.png')).toThrow('received no/such.png');
  });

  it('are made once, the same bytes each time, also by two callers at once, and old ones go', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'old.png'), 'of an earlier version');
    // whichever of the two comes second may find the work done
    expect(await Promise.all([makeFixtures(dir), makeFixtures(dir)])).toContain(true);
    expect(await makeFixtures(dir)).toBe(false);
    expect(
      (await readdir(dir)).filter((name) => name === 'old.png' || name.startsWith('.unfinished')),
    ).toEqual([]);
    const differing = await Promise.all(
      FIXTURES.map(async ({ file }) => ((await same(dir, file)) ? [] : [file])),
    );
    expect(differing.flat()).toEqual([]);
  });
});

describe('a sound picture', () => {
  it.each(named('picture'))('$file is what the manifest says', async (entry) => {
    const facts = await sharp(fixture(entry.file)).metadata();
    expect(facts.format).toBe(entry.format === 'avif' ? 'heif' : entry.format);
    expect([facts.width, facts.height]).toEqual([entry.width, entry.height]);
    expect(facts.pages ?? 1).toBe(entry.pages ?? 1);
    expect(facts.orientation ?? 1).toBe(entry.orientation ?? 1);
    expect(facts.depth).toBe(entry.depth === 16 ? 'ushort' : 'uchar');
    if (entry.channels) expect(facts.channels).toBe(entry.channels);
    if (entry.density) expect(facts.density).toBe(entry.density);
    await sharp(fixture(entry.file), { failOn: 'warning' }).stats();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of orientation %i shows the scene upright once turned', async (turn) => {
    await expectUpright(`oriented/orientation-${turn}.jpg`);
  });

  it.each(['png', 'webp', 'tif'])(
    'of orientation 6 in .%s shows the scene upright once turned',
    async (type) => {
      await expectUpright(`oriented/orientation-6.${type}`);
    },
  );

  it.each(['animated/distinct.gif', 'animated/distinct.webp'])(
    '%s keeps its delays and its count of runs',
    async (file) => {
      const { delay, loop } = await sharp(fixture(file)).metadata();
      expect({ delays: delay, runs: loop }).toEqual(ANIMATION);
    },
  );

  it.each(UNEQUAL_PAGES.map((size, page) => ({ ...size, page })))(
    'has an unequal TIFF page $page',
    async (size) => {
      const { info } = await sharp(fixture('tiff/pages-unequal.tif'), { page: size.page }).toBuffer({
        resolveWithObject: true,
      });
      expect(info).toMatchObject({ width: size.width, height: size.height });
    },
  );

  it.each(TAGGED)(
    '$file converts to the sRGB colours the formulas give, within 2 levels',
    async ({ file, space }) => {
      const { data, info } = await sharp(fixture(file))
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      PATCHES.forEach((patch, i) => {
        expectNear(pixel(data, info, i * 16 + 8, 16), toSrgb(space, patch), 2);
      });
    },
  );

  it('in a wide space would look wrong without its profile', () => {
    expect(toSrgb(SPACES.displayP3, [200, 100, 50])).not.toEqual([200, 100, 50]);
    expect(toSrgb(SPACES.srgb, [200, 100, 50])).toEqual([200, 100, 50]);
  });

  it.each(['jpg', 'png', 'webp'])('metadata/rights.%s holds the EXIF bytes exactly', async (type) => {
    const found = (await sharp(fixture(`metadata/rights.${type}`)).metadata()).exif;
    expect(found?.includes(exif({ ...RIGHTS, gps: GPS }))).toBe(true);
    expect(found?.includes(Buffer.from(RIGHTS.copyright))).toBe(true);
  });

  it.each(['jpg', 'png', 'webp', 'tif'])('metadata/xmp.%s holds the rights in UTF-8', async (type) => {
    const found = (await sharp(fixture(`metadata/xmp.${type}`)).metadata()).xmp;
    expect(found?.toString('utf8')).toContain(`<rdf:li xml:lang="x-default">${RIGHTS.copyright}</rdf:li>`);
  });
});

describe('a document', () => {
  it.each(named('document'))(
    '$file has its pages and a true cross-reference',
    async ({ file, pages = 1 }) => {
      const bytes = await readFile(fixture(file), 'latin1');
      const offset = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(bytes)?.[1]);
      expect(bytes.slice(offset, offset + 4)).toBe('xref');
      expect(bytes.match(/\/Type \/Page /g)).toHaveLength(pages);
      for (const [i, entry] of [...bytes.matchAll(/^(\d{10}) 00000 n /gm)].entries()) {
        expect(bytes.slice(Number(entry[1])).startsWith(`${i + 1} 0 obj\n`)).toBe(true);
      }
    },
  );
});

describe('sharp in its strictest setting', () => {
  const judged = [...named('hostile'), ...named('foreign')].filter(({ expect: must }) => must !== 'either');

  it.each(judged.filter(({ expect: must }) => must === 'ok'))('takes $file: $what', async ({ file }) => {
    await expect(strict(file)).resolves.toBeDefined();
  });

  it.each(judged.filter(refused))('refuses $file: $what', async ({ file }) => {
    await expect(strict(file)).rejects.toThrow();
  });

  it.each(judged.filter(({ sharpIsLenient }) => sharpIsLenient))(
    'is too lenient for $file: $what',
    async ({ file }) => {
      await expect(strict(file)).resolves.toBeDefined();
    },
  );

  it.each(judged.filter(refusedByLimit))('refuses $file by its limit of pixels', async ({ file }) => {
    await expect(sharp(fixture(file), { pages: pagesOf(file) }).metadata()).rejects.toThrow(
      'exceeds pixel limit',
    );
  });

  function refused({ expect: must, sharpIsLenient }: Fixture): boolean {
    return must !== 'ok' && !sharpIsLenient;
  }

  function refusedByLimit({ expect: must, format }: Fixture): boolean {
    return must === 'limit' && format !== 'pdf';
  }
});

async function same(dir: string, file: string): Promise<boolean> {
  return (await readFile(join(dir, file))).equals(await readFile(fixture(file)));
}

async function described(path: string): Promise<string> {
  const [bytes, { width, height }] = [await readFile(path), await sharp(path).metadata()];
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return `${basename(path)} ${width}x${height} ${bytes.length} ${sha256}`;
}

function strict(file: string): Promise<Buffer> {
  return sharp(fixture(file), { failOn: 'warning', pages: pagesOf(file) })
    .raw()
    .toBuffer();
}

function pagesOf(file: string): number {
  return /\.(gif|webp|tif)$/.test(file) ? -1 : 1;
}

async function expectUpright(file: string): Promise<void> {
  const { data, info } = await sharp(fixture(file)).autoOrient().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = UPRIGHT;
  expect(info).toMatchObject({ width, height });
  expectNear(pixel(data, info, 5, 5), CORNERS.topLeft, 4);
  expectNear(pixel(data, info, width - 6, 5), CORNERS.topRight, 4);
  expectNear(pixel(data, info, 5, height - 6), CORNERS.bottomLeft, 4);
  expectNear(pixel(data, info, width - 6, height - 6), CORNERS.bottomRight, 4);
}

function pixel(data: Buffer, info: { width: number; channels: number }, x: number, y: number): number[] {
  const at = (y * info.width + x) * info.channels;
  return [...data.subarray(at, at + 3)];
}

function expectNear(found: readonly number[], wanted: Rgb, tolerance: number): void {
  const apart = wanted.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)));
  expect(Math.max(...apart), `expected ${wanted}, received ${found}`).toBeLessThanOrEqual(tolerance);
}
