import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Rights, readRights } from '../../src/codecs/rights.js';
import { type MetadataFormat, writeRights } from '../../src/codecs/rights-write.js';
import { decoded, ENCODINGS, tagsOf } from './encodings.js';
import { jpegWith, picture, source } from './exif-blobs.js';

const ARTIST = 0x013b;
const COPYRIGHT = 0x8298;
const bytes = (value: string, encoding: BufferEncoding = 'utf8') =>
  new Uint8Array(Buffer.from(value, encoding));

/** Reads what was written by another way than it was written: sharp's own reader where it has one. */
async function reread(file: Uint8Array, format: MetadataFormat): Promise<Rights | undefined> {
  if (format === 'gif') return readRights({ xmp: gifXmp(Buffer.from(file)) });
  const { exif, xmp } = await sharp(file, { failOn: 'warning' }).metadata();
  return readRights({ exif: format === 'tiff' ? file : exif, xmp });
}

function gifXmp(file: Buffer): Buffer {
  const start = file.indexOf('\x21\xff\x0bXMP DataXMP', 0, 'latin1') + 14;
  return file.subarray(start, file.indexOf('\x01\xff\xfe\xfd', start, 'latin1'));
}

const LANGUAGES = [
  { language: 'x-default', text: `© "Zoë" & <Söhne>\r\n'x' ]]> 写真 🦊` },
  { language: 'de-AT', text: ' Alle Rechte ' },
];

const CASES: readonly (readonly [name: string, rights: Rights])[] = [
  ['an artist', { artist: bytes('Zoë') }],
  ['an artist and a copyright', { artist: bytes('Zoë'), copyright: bytes('© 2024 Zoë') }],
  ['texts short enough for the directory itself', { artist: bytes('Z'), copyright: bytes('©') }],
  ['4 KB of an odd length', { copyright: bytes(`${'é'.repeat(2047)}x`) }],
  ['XMP in several languages', { xmpRights: LANGUAGES, xmpCreator: ['Zoë <z@example.org>', 'Ann & Co'] }],
  [
    'all of it',
    { artist: bytes('Zoë'), copyright: bytes('© 2024 Zoë'), xmpRights: LANGUAGES, xmpCreator: ['Ann'] },
  ],
];

describe.each(ENCODINGS)('rights written into %s', (_, format, encode) => {
  it.each(CASES.filter(([name]) => format !== 'gif' || name !== 'all of it'))(
    'are read back to the letter: %s',
    async (_, rights) => {
      const encoded = await encode();
      const { bytes: file, kept, lost } = writeRights(encoded, format, rights);
      expect({ kept, lost }).toEqual({ kept: true, lost: [] });
      const asXmp = format === 'gif' && !rights.xmpRights;
      expect(await reread(file, format)).toEqual(asXmp ? inXmp(rights) : rights);
      expect(await decoded(file)).toEqual(await decoded(encoded));
      expect(Buffer.compare(file, writeRights(encoded, format, rights).bytes)).toBe(0);
    },
  );

  it('take the place of rights written before', async () => {
    const first = writeRights(await encode(), format, {
      artist: bytes('One'),
      xmpRights: [{ language: 'en', text: 'first' }],
      xmpCreator: ['One'],
    });
    const second: Rights = {
      artist: bytes('Two'),
      xmpRights: [{ language: 'en', text: 'second' }],
      xmpCreator: ['Two'],
    };
    const { bytes: file } = writeRights(first.bytes, format, second);
    expect(await reread(file, format)).toEqual(
      format === 'gif' ? { xmpRights: second.xmpRights, xmpCreator: ['Two'] } : second,
    );
    expect(Buffer.from(file).includes('first')).toBe(false);
    expect(await decoded(file)).toEqual(await decoded(await encode()));
  });

  it('leave the bytes alone when there is nothing to write, or they are not what they are said to be', async () => {
    const encoded = await encode();
    const rights = { artist: bytes('Zoë'), xmpCreator: ['Zoë'] };
    expect(writeRights(encoded, format, {})).toEqual({ bytes: encoded, kept: true, lost: [] });
    for (const damaged of [encoded.subarray(0, 11), Buffer.from('not a picture'), new Uint8Array()]) {
      const written = writeRights(damaged, format, rights);
      expect(written.kept).toBe(false);
      expect(written.bytes).toBe(damaged);
    }
  });
});

function inXmp({ artist, copyright }: Rights): Rights {
  const decode = (text: Uint8Array) => Buffer.from(text).toString();
  return {
    ...(copyright && { xmpRights: [{ language: 'x-default', text: decode(copyright) }] }),
    ...(artist && { xmpCreator: [decode(artist)] }),
  };
}

describe.each(ENCODINGS)('bytes of %s that are damaged', (_, format, encode) => {
  it('never make the writer throw', async () => {
    const encoded = await encode();
    const rights = { artist: bytes('Zoë'), xmpCreator: ['Zoë'] };
    const head = Math.min(encoded.length, 600);
    const spot = fc.oneof(fc.nat(head - 1), fc.nat(encoded.length - 1));
    const damage = fc.tuple(spot, fc.nat(255), fc.oneof(fc.constant(encoded.length), fc.nat(encoded.length)));
    fc.assert(
      fc.property(damage, ([at, byte, end]) => {
        const copy = Buffer.from(encoded);
        copy[at] = byte;
        const written = writeRights(copy.subarray(0, end), format, rights);
        expect(written.bytes.length).toBeGreaterThanOrEqual(end);
      }),
      { numRuns: 300 },
    );
  });
});

describe('rights that are not UTF-8', () => {
  const rights = { artist: bytes('Zoë', 'latin1'), copyright: bytes('© a\0© b', 'latin1') };

  it.each(ENCODINGS.filter(([, format]) => format !== 'gif'))(
    'are kept to the byte in %s',
    async (_, format, encode) => {
      expect(await reread(writeRights(await encode(), format, rights).bytes, format)).toEqual(rights);
    },
  );

  it('become text in a GIF, which is said', async () => {
    const { bytes: file, kept, lost } = writeRights(await picture(3).gif().toBuffer(), 'gif', rights);
    expect({ kept, lost }).toEqual({ kept: false, lost: ['EXIF artist', 'EXIF copyright'] });
    expect((await reread(file, 'gif'))?.xmpCreator).toEqual(['Zoë']);
  });
});

describe('a density beside the rights', () => {
  it('is what sharp reads from a JPEG and a TIFF, and keeps its fraction', async () => {
    for (const format of ['jpeg', 'tiff'] as const) {
      for (const density of [300, 118.11]) {
        const encoded = await picture(3).toFormat(format).toBuffer();
        const { bytes: file } = writeRights(encoded, format, { artist: bytes('Zoë') }, { density });
        expect((await sharp(file).metadata()).density).toBe(Math.round(density));
        expect((await reread(file, format))?.artist).toEqual(bytes('Zoë'));
      }
    }
  });

  it('stands in the EXIF of a WebP and an AVIF even without rights, and leaves a PNG alone', async () => {
    for (const format of ['webp', 'avif'] as const) {
      const { bytes: file } = writeRights(
        await picture(3).toFormat(format).toBuffer(),
        format,
        {},
        { density: 300 },
      );
      expect([...(await tagsOf(file, format)).keys()]).toEqual([0x011a, 0x011b, 0x0128]);
    }
    const png = await picture(3).png().toBuffer();
    expect(writeRights(png, 'png', {}, { density: 300 }).bytes).toBe(png);
  });
});

describe('rights too long for a container', () => {
  it('are left out of a JPEG, whose segments end at 64 KB, and said', async () => {
    const encoded = await picture(3).jpeg().toBuffer();
    const long = { copyright: new Uint8Array(70_000).fill(0x61), xmpCreator: ['Zoë'] };
    const { bytes: file, kept, lost } = writeRights(encoded, 'jpeg', long);
    expect({ kept, lost }).toEqual({ kept: false, lost: ['EXIF'] });
    expect(await reread(file, 'jpeg')).toEqual({ xmpCreator: ['Zoë'] });
  });

  it('fit every other container', async () => {
    const rights = { copyright: new Uint8Array(70_000).fill(0x61) };
    for (const [, format, encode] of ENCODINGS.filter(([, name]) => name !== 'jpeg' && name !== 'gif')) {
      expect(await reread(writeRights(await encode(), format, rights).bytes, format)).toEqual(rights);
    }
  });
});

describe('a source with GPS', () => {
  it.each(ENCODINGS.filter(([, format]) => format !== 'gif'))(
    'leaves none of it in %s, only artist and copyright',
    async (_, format, encode) => {
      const from = await sharp(await jpegWith(source('MM'))).metadata();
      const rights = readRights(from);
      expect(rights).toBeDefined();
      const { bytes: file } = writeRights(await encode(), format, rights ?? {});
      const tags = await tagsOf(file, format);
      expect([...tags.keys()].filter((tag) => [0x010f, 0x8825, ARTIST, COPYRIGHT].includes(tag))).toEqual([
        ARTIST,
        COPYRIGHT,
      ]);
    },
  );

  it('loses it even where sharp had carried it into the output', async () => {
    const from = await jpegWith(source('II'));
    for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
      const encoded = await sharp(from).withDensity(300).toFormat(format).toBuffer();
      expect([...(await tagsOf(encoded, format)).keys()]).toContain(0x8825);
      const { bytes: file } = writeRights(encoded, format, readRights(await sharp(from).metadata()) ?? {});
      expect([...(await tagsOf(file, format)).keys()]).toEqual([ARTIST, COPYRIGHT]);
    }
  });
});
