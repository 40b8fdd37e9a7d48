import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FIXTURES } from '../../fixtures/manifest.js';
import { jpegMetadata } from '../../src/codecs/jpeg-metadata.js';
import { corpus, fixture, photos } from '../support/fixtures.js';
import { type Blow, blow, strike } from './blows.js';
import { short, type Tag, text, tiff } from './exif-blobs.js';
import { open, picture } from './jpeg-samples.js';

/** What the file's own bytes say, by us and by sharp, in the same words; sharp's undefined where it refuses the file. */
async function both(jpeg: Buffer) {
  const own = jpegMetadata(jpeg.subarray(0, 65_536));
  const theirs = await told(jpeg).catch(() => undefined);
  return { own: own && worded(own), theirs: theirs && worded({ orientation: 1, ...theirs }) };
}

async function told(jpeg: Buffer): Promise<object> {
  return sharp(jpeg, { limitInputPixels: false, failOn: 'none' }).metadata();
}

function worded(metadata: object) {
  const {
    format,
    width,
    height,
    space,
    depth,
    hasAlpha,
    isProgressive,
    orientation,
    density,
    exif,
    icc,
    iptc,
    xmp,
  } = metadata as Record<string, unknown>;
  const blobs = [exif, icc, iptc, xmp].map((blob) => blob && Buffer.from(blob as Buffer).toString('hex'));
  return { format, width, height, space, depth, hasAlpha, isProgressive, orientation, density, blobs };
}

describe('the metadata of a JPEG read without sharp', () => {
  it.each(photos())('are what sharp says of %s', async (photo) => {
    const { own, theirs } = await both(readFileSync(photo));
    expect(own).toBeDefined();
    expect(own).toEqual(theirs);
  });

  it('are what sharp says of every other JPEG there is, or left to sharp', async () => {
    const more = corpus();
    const files = [
      ...FIXTURES.map(({ file }) => fixture(file)),
      ...(more === undefined
        ? []
        : readdirSync(more, { recursive: true, encoding: 'utf8' }).map((name) => join(more, name))),
    ].filter((file) => statSync(file).isFile());
    const jpegs = files
      .map((file) => readFileSync(file))
      .filter((bytes) => bytes.length > 2 && bytes.readUInt16BE(0) === 0xffd8);
    let read = 0;
    for (const jpeg of jpegs) {
      const { own, theirs } = await both(jpeg);
      if (own === undefined) continue;
      read += 1;
      expect(own).toEqual(theirs);
    }
    expect(read).toBeGreaterThan(jpegs.length / 2);
  });

  it('are what sharp says of any segments before the scan, sound or damaged, or left to sharp', async () => {
    const bases = await Promise.all(
      (['srgb', 'b-w', 'cmyk'] as const).flatMap((colour) =>
        [false, true].map((progressive) =>
          open(picture(17, 9, 1))
            .toColourspace(colour)
            .jpeg({ progressive })
            .toBuffer(),
        ),
      ),
    );
    const files = fc.record({
      base: fc.constantFrom(...bases),
      segments: fc.array<Buffer>(segment, { maxLength: 5 }),
      hits: fc.oneof({ arbitrary: fc.constant<Blow[]>([]), weight: 2 }, fc.array(blow, { maxLength: 2 })),
    });
    let read = 0;
    await fc.assert(
      fc.asyncProperty(files, async ({ base, segments, hits }) => {
        const jpeg = Buffer.concat([base.subarray(0, 2), ...segments, base.subarray(2)]);
        const { own, theirs } = await both(hits.reduce<Buffer>(strike, jpeg));
        if (own === undefined) return;
        read += 1;
        expect(own).toEqual(theirs);
      }),
      { numRuns: RUNS },
    );
    expect(read).toBeGreaterThan(RUNS / 20);
  });
});

const RUNS = 500;

const odd = { arbitrary: fc.integer({ min: 0, max: 0xffff }), weight: 1 };
const density = fc.oneof({ arbitrary: fc.constantFrom(1, 26, 72, 205, 300, 1025), weight: 4 }, odd);
const order = fc.constantFrom('II' as const, 'MM' as const);

/** A JFIF header: its unit and both densities, mostly alike. */
const jfif = fc
  .record({ unit: fc.nat({ max: 3 }), across: density, down: fc.option(density, { freq: 8 }) })
  .map(({ unit, across, down }) => {
    const body = Buffer.from('JFIF\0\x01\x01\0\0\0\0\0\0\0', 'latin1');
    body.writeUInt8(unit, 7);
    body.writeUInt16BE(across, 8);
    body.writeUInt16BE(down ?? across, 10);
    return app(0, body);
  });

/** EXIF with some of the tags that count, of types and values usual and not. */
const exif = order.chain((endian) => {
  const value = fc.oneof({ arbitrary: fc.nat({ max: 9 }), weight: 6 }, odd);
  const shorts = fc
    .tuple(fc.constantFrom(0x0112, 0x0112, 0x0128), value)
    .map(([tag, number]) => short(endian, tag, number));
  const ratios = fc
    .tuple(fc.constantFrom(0x011a, 0x011b), density, fc.constantFrom(1, 1, 1, 2, 10, 0))
    .map(([tag, top, bottom]) => ratio(endian, tag, top, bottom));
  const both = fc
    .tuple(density, fc.constantFrom(1, 2, 10))
    .map(([top, bottom]) => [ratio(endian, 0x011a, top, bottom), ratio(endian, 0x011b, top, bottom)]);
  const others = fc
    .tuple(fc.integer({ min: 0, max: 0xffff }), fc.string())
    .map(([tag, words]) => text(tag, words));
  const tags = fc.tuple(
    fc.uniqueArray(fc.oneof(shorts, others), { maxLength: 4, selector: ([tag]) => tag }),
    fc.oneof(both, fc.constant([]), fc.array(ratios, { maxLength: 3 })),
  );
  return tags.map(([some, more]) =>
    app(1, Buffer.concat([Buffer.from('Exif\0\0'), tiff(endian, [...some, ...more])])),
  );
});

const blob = fc.uint8Array({ minLength: 0, maxLength: 200 });
const profile = fc
  .tuple(fc.oneof(fc.constant([1, 1]), fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }))), blob)
  .map(([numbers, bytes]) =>
    app(2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.from(numbers), bytes])),
  );
const profileInTwo = fc
  .tuple(blob, blob)
  .map((halves) =>
    Buffer.concat(
      halves.map((half, index) =>
        app(2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.from([index + 1, 2]), half])),
      ),
    ),
  );
const marked = fc
  .tuple(
    fc.constantFrom(
      [1, 'http://ns.adobe.com/xap/1.0/\0'] as const,
      [1, 'http://ns.adobe.com/xmp/extension/\0'] as const,
      [1, 'Exif'] as const,
      [2, 'MPF\0'] as const,
      [13, 'Photoshop 3.0\0'] as const,
      [14, 'Adobe\0\x64\0\0\0\0'] as const,
      [0, 'JFXX\0'] as const,
      [30, ''] as const,
    ),
    blob,
  )
  .map(([[number, mark], bytes]) => app(number, Buffer.concat([Buffer.from(mark, 'latin1'), bytes])));
const segment = fc.oneof(jfif, exif, exif, profile, profileInTwo, marked);

/** The segment APPn; the 30th marker from APP0 on is a comment. */
function app(number: number, body: Uint8Array): Buffer {
  const head = Buffer.from([0xff, 0xe0 + number, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

function ratio(endian: 'II' | 'MM', tag: number, top: number, bottom: number): Tag {
  const data = Buffer.alloc(8);
  for (const [index, value] of [top, bottom].entries())
    if (endian === 'II') data.writeUInt32LE(value, 4 * index);
    else data.writeUInt32BE(value, 4 * index);
  return [tag, 5, 1, data];
}
