import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readRights } from '../../src/codecs/rights.js';
import { GPS, jpegWith, picture, prefixed, short, text, tiff } from './exif-blobs.js';

const ARTIST = 0x013b;
const COPYRIGHT = 0x8298;
const utf8 = (value: string) => new Uint8Array(Buffer.from(value));
const packet = (inside: string, dc = 'dc') =>
  Buffer.from(
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
      `<rdf:Description rdf:about="" xmlns:${dc}="http://purl.org/dc/elements/1.1/">${inside}</rdf:Description></rdf:RDF></x:xmpmeta>`,
  );

describe('rights read from EXIF', () => {
  it.each(['II', 'MM'] as const)(
    'are the bytes of the tags in %s order, with or without the JPEG prefix',
    (order) => {
      const blob = tiff(
        order,
        [short(order, 0x0112, 6), text(ARTIST, 'Zoë'), text(COPYRIGHT, '© 2024 Zoë')],
        { pointers: GPS },
      );
      const rights = { artist: utf8('Zoë'), copyright: utf8('© 2024 Zoë') };
      expect(readRights({ exif: blob })).toEqual(rights);
      expect(readRights({ exif: prefixed(blob) })).toEqual(rights);
    },
  );

  it('keep Latin-1, an inner NUL, a value short enough to sit in the directory, and 4 KB', () => {
    const latin1 = Buffer.from('Zoë Müller', 'latin1');
    const long = `${'é'.repeat(2047)}x`;
    const read = (artist: string | Uint8Array) =>
      readRights({ exif: tiff('MM', [text(ARTIST, artist)]) })?.artist;
    expect(read(latin1)).toEqual(new Uint8Array(latin1));
    expect(read('one\0two')).toEqual(utf8('one\0two'));
    expect(read('Zo')).toEqual(utf8('Zo'));
    expect(read(long)).toEqual(utf8(long));
  });

  it('are absent when the tags are blank, missing, of a numeric type, or outside the blob', () => {
    const outside = tiff('II', [text(ARTIST, 'a long enough name')]).subarray(0, 30);
    for (const exif of [
      tiff('II', [text(ARTIST, '      '), text(COPYRIGHT, '\0\0\0')]),
      tiff('II', [short('II', 0x0112, 1)]),
      tiff('II', [short('II', ARTIST, 0x4141)]),
      outside,
      new Uint8Array(),
      utf8('Exif\0\0'),
    ]) {
      expect(readRights({ exif })).toBeUndefined();
    }
  });

  it('come from the blob sharp gives for a JPEG, and from a whole TIFF file', async () => {
    const jpeg = await jpegWith(tiff('II', [text(ARTIST, 'Zoë')]));
    expect(readRights(await sharp(jpeg).metadata())?.artist).toEqual(utf8('Zoë'));
    const file = tiff('MM', [text(COPYRIGHT, '© Zoë')]);
    expect(readRights({ exif: file })?.copyright).toEqual(utf8('© Zoë'));
  });
});

describe('rights read from IPTC', () => {
  const set = (number: number, value: string) =>
    Buffer.concat([Buffer.from([0x1c, 2, number, 0, Buffer.byteLength(value)]), Buffer.from(value)]);
  const iim = Buffer.concat([set(80, 'Zoë'), set(80, 'Ann'), set(116, '(c) Zoë')]);
  const resource = (id: number, data: Buffer) =>
    Buffer.concat([
      Buffer.from('8BIM'),
      Buffer.from([id >> 8, id & 255, 0, 0, 0, 0, 0, data.length]),
      data,
      Buffer.alloc(data.length % 2),
    ]);
  const photoshop = Buffer.concat([
    Buffer.from('Photoshop 3.0\0'),
    resource(0x0425, Buffer.from('odd')),
    resource(0x0404, iim),
  ]);

  it.each([
    ['bare', iim],
    ['in Photoshop resources', photoshop],
  ])('stand in for EXIF when %s', (_, iptc) => {
    expect(readRights({ iptc })).toEqual({ artist: utf8('Zoë; Ann'), copyright: utf8('(c) Zoë') });
    const exif = tiff('II', [text(ARTIST, 'EXIF name')]);
    expect(readRights({ exif, iptc })).toEqual({ artist: utf8('EXIF name'), copyright: utf8('(c) Zoë') });
  });
});

describe('rights read from XMP', () => {
  it('are every language of dc:rights and every dc:creator, references resolved', () => {
    const xmp = packet(
      `<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>A &amp; &lt;B&gt; &#169; &#xEB;</rdf:li>` +
        `<rdf:li xml:lang="de">Alle <![CDATA[<Rechte>]]></rdf:li></rdf:Alt></dc:rights>` +
        `<dc:creator><rdf:Seq><rdf:li>Zoë</rdf:li><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator><!-- > -->`,
    );
    expect(readRights({ xmp })).toEqual({
      xmpRights: [
        { language: 'x-default', text: 'A & <B> © ë' },
        { language: 'de', text: 'Alle <Rechte>' },
      ],
      xmpCreator: ['Zoë', 'Ann'],
    });
  });

  it('are found under another prefix, as an attribute and as plain text, in a packet that ends with NULs', () => {
    const rights = { xmpRights: [{ language: 'x-default', text: 'Mine' }] };
    expect(readRights({ xmp: packet('<d:rights>Mine</d:rights>', 'd') })).toEqual(rights);
    expect(
      readRights({ xmp: Buffer.concat([packet('<dc:rights>Mine</dc:rights>'), Buffer.alloc(9)]) }),
    ).toEqual(rights);
    const attribute = packet('').toString().replace('rdf:about=""', 'dc:rights="Mine"');
    expect(readRights({ xmp: Buffer.from(attribute) })).toEqual(rights);
  });

  it('are absent from a packet that is malformed, nested too deep, not UTF-8, or has a DOCTYPE', () => {
    const sound = packet('<dc:rights>Mine</dc:rights>');
    for (const xmp of [
      sound.subarray(0, sound.length - 5),
      Buffer.concat([Buffer.from('<!DOCTYPE x [<!ENTITY a "b">]>'), sound]),
      packet('<dc:rights>&unknown;</dc:rights>'),
      packet('<dc:rights>&#0;</dc:rights>'),
      packet('<dc:rights>a</dc:creator>'),
      packet(`${'<a>'.repeat(1000)}<dc:rights>Mine</dc:rights>${'</a>'.repeat(1000)}`),
      Buffer.from([0x3c, 0xff, 0x3e]),
    ]) {
      expect(readRights({ xmp })).toBeUndefined();
    }
  });
});

describe('metadata of any bytes', () => {
  it('never throws', () => {
    const start = fc.constantFrom(
      '',
      'Exif\0\0',
      'II*\0\x08\0\0\0',
      'MM\0*\0\0\0\x08',
      '\x1c\x02\x50',
      'Photoshop 3.0\x008BIM\x04\x04',
      '<a b="',
    );
    const bytes = fc
      .tuple(start, fc.uint8Array({ maxLength: 200 }))
      .map(([head, rest]) => Buffer.concat([Buffer.from(head, 'latin1'), rest]));
    fc.assert(
      fc.property(bytes, bytes, bytes, (exif, xmp, iptc) => {
        expect(() => readRights({ exif, xmp, iptc })).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws for a sound blob with one byte changed or its end cut off', () => {
    const sound = tiff('MM', [text(ARTIST, 'Zoë of some length'), text(COPYRIGHT, '© 2024')], {
      pointers: GPS,
    });
    const damaged = fc
      .tuple(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length))
      .map(([at, byte, end]) => {
        const copy = Buffer.from(sound);
        copy[at] = byte;
        return copy.subarray(0, end);
      });
    fc.assert(
      fc.property(damaged, (exif) => {
        const artist = readRights({ exif })?.artist;
        expect(artist === undefined || artist.length <= exif.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes time in proportion to its length, whatever it repeats', async () => {
    const spaces = ' '.repeat(1 << 20);
    for (const xmp of [
      `<a${spaces}`,
      `<a${' b'.repeat(1 << 19)}`,
      '<a>&'.repeat(1 << 18),
      `${'\0'.repeat(1 << 20)}x`,
      `<a b="${spaces}`,
    ]) {
      expect(readRights({ xmp: Buffer.from(xmp) })).toBeUndefined();
    }
    expect(
      readRights(
        await picture(3)
          .png()
          .toBuffer()
          .then((png) => sharp(png).metadata()),
      ),
    ).toBeUndefined();
  });
});
