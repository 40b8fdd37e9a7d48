import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exif, GPS, RIGHTS } from '../../fixtures/exif.js';
import { bytesOf, one, run } from '../operations/run.js';
import { fixture, tempDir } from '../support/fixtures.js';

const SIGNED = ['rights.jpg', 'rights-big-endian.jpg', 'rights.png', 'rights.webp', 'rights.tif'].map(
  (name) => fixture(`metadata/${name}`),
);
const PACKETS = ['xmp.jpg', 'xmp.png', 'xmp.webp', 'xmp.tif'].map((name) => fixture(`metadata/${name}`));
const ZOE = Buffer.from(RIGHTS.artist, 'utf8');
const NOTICE = Buffer.from(RIGHTS.copyright, 'utf8');
const SEVERAL = ['--op', 'mean:size=3', '--op', 'rotate:angle=90'];
/** The tag that points to a place on earth, in either byte order. */
const PLACE = [Buffer.from([0x25, 0x88, 4, 0]), Buffer.from([0x88, 0x25, 0, 4])];

describe('metadata', () => {
  it('by default is the rights alone, to the letter, without the place, in every container', async () => {
    for (const format of ['keep', 'webp', 'avif']) {
      for (const result of await run('run', SIGNED, [...SEVERAL, '--format', format])) {
        const bytes = await bytesOf(result);
        expect(bytes.includes(ZOE) && bytes.includes(NOTICE), result.path).toBe(true);
        expect(
          PLACE.some((tag) => bytes.includes(tag)),
          result.path,
        ).toBe(false);
        expect(result.notes, result.path).toEqual([]);
      }
    }
  });

  it('with none is gone', async () => {
    for (const result of await run('thumbnail', [...SIGNED, ...PACKETS], ['--metadata', 'none'])) {
      const bytes = await bytesOf(result);
      const { exif: blob, xmp, iptc } = await sharp(result.path).metadata();
      expect([bytes.includes(ZOE), blob, xmp, iptc], result.path).toEqual([
        false,
        undefined,
        undefined,
        undefined,
      ]);
    }
  });

  it.each([
    ['one pass', 'thumbnail', []],
    ['several', 'run', SEVERAL],
  ] as const)('with all is all, through %s, place and packet included', async (_, command, flags) => {
    const signed = await run(command, SIGNED, [...flags, '--metadata', 'all']);
    for (const [i, result] of signed.entries()) {
      const bytes = await bytesOf(result);
      expect(bytes.includes(ZOE) && bytes.includes(NOTICE), result.path).toBe(true);
      // the TIFF has no place to begin with
      expect(i === 4 || PLACE.some((tag) => bytes.includes(tag)), result.path).toBe(true);
    }
    const packed = await run(command, PACKETS, [...flags, '--metadata', 'all']);
    for (const [i, { path }] of packed.entries()) {
      const [made, source] = await Promise.all([path, PACKETS[i]].map((each) => sharp(each).metadata()));
      expect(made?.xmp?.length, path).toBeGreaterThan(0);
      expect(made?.xmp?.toString(), path).toBe(source?.xmp?.toString());
    }
  });

  it('with all says orientation 1 once a picture was turned upright, and as it was when it was not', async () => {
    const files = ['jpg', 'png', 'webp', 'tif'].map((ext) => fixture(`oriented/orientation-6.${ext}`));
    const flags = ['--metadata', 'all'];
    for (const { path } of await run('thumbnail', files, flags))
      expect((await sharp(path).metadata()).orientation ?? 1, path).toBe(1);
    for (const { path } of await run('thumbnail', files, [...flags, '--no-auto-orient']))
      expect((await sharp(path).metadata()).orientation, path).toBe(6);
  });

  it('with all keeps IPTC in JPEG and TIFF, and says where it cannot', async () => {
    const file = await withIptc();
    const results = await Promise.all(
      ['jpeg', 'tiff', 'png'].map((format) =>
        one('thumbnail', file, ['--metadata', 'all', '--format', format]),
      ),
    );
    const blocks = await Promise.all(results.map(async ({ path }) => (await sharp(path).metadata()).iptc));
    expect(blocks.map((block) => block?.includes('Zo\u00eb Caption') ?? false)).toEqual([true, true, false]);
    expect(results.map(({ notes }) => notes.join())).toEqual(['', '', 'metadata not kept: IPTC']);
  });
});

describe('density', () => {
  const DENSE = ['metadata/density.jpg', 'metadata/density.png', 'tiff/rgb16.tif'].map(fixture);

  it('is kept through one pass and several, under every policy', async () => {
    for (const flags of [
      ['--metadata', 'safe'],
      ['--metadata', 'none'],
      ['--metadata', 'all'],
    ]) {
      const once = await run('thumbnail', DENSE, flags);
      const often = await run('run', DENSE, [...SEVERAL, ...flags]);
      for (const { path } of [...once, ...often])
        expect((await sharp(path).metadata()).density, `${flags} ${path}`).toBeCloseTo(300, 0);
    }
  });

  it('goes along into another format', async () => {
    for (const format of ['jpeg', 'png', 'tiff'])
      for (const { path } of await run('thumbnail', DENSE, ['--format', format]))
        expect((await sharp(path).metadata()).density, path).toBeCloseTo(300, 0);
  });
});

describe('--keep-smaller', () => {
  const keep = ['--op', 'mean:size=1', '--keep-smaller'];

  it('writes the original bytes when nothing changes and the new file is not smaller', async () => {
    const file = await small();
    const result = await one('run', file, keep);
    expect(
      (await bytesOf(result)).equals(
        await sharp(file)
          .toBuffer()
          .then(() => bytesOf({ ...result, path: file })),
      ),
    ).toBe(true);
    expect(result.notes.join()).toContain('kept the original');
    expect((await one('run', file, keep.slice(0, 2))).bytes).toBeGreaterThan(result.bytes);
  });

  it('does not when a pixel changes, the metadata would, or the new file is smaller', async () => {
    const file = await small();
    const bytes = await bytesOf(await one('run', file, keep));
    const signed = `${await tempDir()}/signed.jpg`;
    await writeFile(
      signed,
      withSegment(bytes, 0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif({ ...RIGHTS, gps: GPS })])),
    );
    const commented = `${await tempDir()}/commented.jpg`;
    await writeFile(commented, withSegment(bytes, 0xfe, Buffer.from('taken at home')));
    const cases = [
      [file, ['--op', 'rotate:angle=180']],
      [file, ['--op', 'mean']],
      [file, ['--op', 'mean:size=1', '--format', 'png']],
      [signed, keep.slice(0, 2)],
      [commented, keep.slice(0, 2)],
      [fixture('oriented/orientation-6.jpg'), keep.slice(0, 2)],
      [fixture('colour/display-p3.jpg'), keep.slice(0, 2)],
      [fixture('metadata/density.jpg'), [...keep.slice(0, 2), '--quality', '5']],
    ] as const;
    for (const [input, steps] of cases)
      expect(
        (await one('run', input, [...steps, '--keep-smaller'])).notes.join(),
        `${input} ${steps}`,
      ).not.toContain('kept the original');
    expect((await one('run', signed, [...keep, '--metadata', 'all'])).notes.join()).toContain(
      'kept the original',
    );
  });
});

/** A JPEG that this build would only make larger. */
async function small(): Promise<string> {
  const path = `${await tempDir()}/small.jpg`;
  await sharp(fixture('png/rgb.png')).jpeg({ quality: 20 }).toFile(path);
  return path;
}

async function withIptc(): Promise<string> {
  const text = Buffer.from('Zo\u00eb Caption');
  const set = Buffer.concat([Buffer.from([0x1c, 2, 120, 0, text.length]), text]);
  const resource = Buffer.concat([
    Buffer.from('8BIM\x04\x04\0\0\0\0\0', 'latin1'),
    Buffer.from([set.length]),
    set,
    Buffer.alloc(set.length % 2),
  ]);
  const path = `${await tempDir()}/captioned.jpg`;
  const plain = await sharp(fixture('png/rgb.png')).jpeg().toBuffer();
  await writeFile(path, withSegment(plain, 0xed, Buffer.concat([Buffer.from('Photoshop 3.0\0'), resource])));
  return path;
}

/** With a segment right behind its start. */
function withSegment(jpeg: Buffer, marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}
