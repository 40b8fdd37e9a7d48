import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { writeExif } from '../../src/codecs/rights-write.js';
import { decoded, directory, ENCODINGS, strip, tagsOf } from './encodings.js';
import { GPS, jpegWith, picture, short, source, type Tag, text, tiff } from './exif-blobs.js';

const ARTIST = 0x013b;

describe('a whole EXIF blob', () => {
  it.each(['II', 'MM'] as const)('in %s order stays as it is but for its orientation', async (order) => {
    const blob = source(order);
    const turned = source(order, 1);
    const { exif = Buffer.alloc(0) } = await sharp(await jpegWith(blob)).metadata();
    for (const [, format, encode] of ENCODINGS.filter(([, name]) => name !== 'gif' && name !== 'tiff')) {
      const kept = async (options: { orientation?: 1 }) => {
        const file = writeExif(await encode(), format, exif, options).bytes;
        const found = (await sharp(file, { failOn: 'warning' }).metadata()).exif ?? Buffer.alloc(0);
        return found.subarray(found.indexOf(blob.subarray(0, 4)));
      };
      expect(Buffer.compare(await kept({}), blob)).toBe(0);
      expect(Buffer.compare(await kept({ orientation: 1 }), turned)).toBe(0);
    }
  });

  it.each(['II', 'MM'] as const)(
    'in %s order gives a TIFF its tags, GPS and EXIF directories included',
    async (order) => {
      const exposure: Tag = [0x829a, 5, 1, rational(order, 1, 60)];
      const pointers = new Map([...GPS, [0x8769, [exposure]]]);
      const blob = tiff(order, [short(order, 0x0112, 6), text(0x010f, 'Maker'), text(ARTIST, 'Zoë')], {
        pointers,
      });
      const encoded = await strip().tiff().toBuffer();
      const { bytes: file, lost } = writeExif(encoded, 'tiff', blob, { orientation: 1 });
      expect(lost).toEqual([]);
      const tags = await tagsOf(file, 'tiff');
      expect(tags.get(0x010f)?.toString()).toBe('Maker\0');
      expect(Buffer.from(file).includes(rational('II', 1, 60))).toBe(true);
      expect(
        directory(Buffer.from(file), tags.get(0x8825)?.readUInt32LE() ?? 0)
          .get(1)
          ?.toString('latin1', 0, 2),
      ).toBe('N\0');
      expect(await decoded(file)).toEqual(await decoded(encoded));
      expect((await sharp(file).metadata()).orientation).toBe(1);
    },
  );

  it('loses its maker note and thumbnail in a TIFF, which is said', async () => {
    const pointers = new Map<number, readonly Tag[]>([[0x8769, [[0x927c, 7, 6, Buffer.from('note!!')]]]]);
    const blob = tiff('II', [text(0x010f, 'Maker')], { pointers, second: [short('II', 0x0103, 6)] });
    const { kept, lost } = writeExif(await picture(3).tiff().toBuffer(), 'tiff', blob);
    expect({ kept, lost }).toEqual({ kept: false, lost: ['EXIF maker note', 'EXIF thumbnail'] });
  });

  it('has no place in a GIF, which is said', async () => {
    const encoded = await picture(3).gif().toBuffer();
    expect(writeExif(encoded, 'gif', source('II'))).toEqual({ bytes: encoded, kept: false, lost: ['EXIF'] });
  });
});

function rational(order: 'II' | 'MM', numerator: number, denominator: number): Buffer {
  const data = Buffer.alloc(8);
  for (const [index, value] of [numerator, denominator].entries()) {
    if (order === 'II') data.writeUInt32LE(value, 4 * index);
    else data.writeUInt32BE(value, 4 * index);
  }
  return data;
}

describe('a damaged EXIF blob', () => {
  it('never makes the writer throw, nor a TIFF grow by more than the blob', async () => {
    const sound = source('MM');
    const encoded = await picture(3).tiff().toBuffer();
    const damage = fc.tuple(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length));
    fc.assert(
      fc.property(damage, ([at, byte, end]) => {
        const blob = Buffer.from(sound);
        blob[at] = byte;
        const { bytes: file } = writeExif(encoded, 'tiff', blob.subarray(0, end), { orientation: 1 });
        expect(file.length).toBeLessThan(encoded.length + sound.length + 1000);
      }),
      { numRuns: 2000 },
    );
  });

  it('that points at itself ten thousand times is given up on', async () => {
    const rows = 10_000;
    const blob = Buffer.alloc(8 + 2 + 12 * rows + 4);
    blob.write('II*\0\x08\0\0\0', 'latin1');
    blob.writeUInt16LE(rows, 8);
    for (let row = 0; row < rows; row++) blob.set([0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0], 10 + 12 * row);
    const encoded = await picture(3).tiff().toBuffer();
    const { bytes: file, kept } = writeExif(encoded, 'tiff', blob);
    expect(kept).toBe(false);
    expect(file.length).toBeLessThan(encoded.length + 4 * blob.length);
  });
});
