import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  extensionFits,
  extensionOf,
  FORMATS,
  formatOfExtension,
  formats,
  readsExtension,
  UNREADABLE_EXTENSIONS,
  unreadableTypeOf,
} from '../../src/codecs/extensions.js';
import { SNIFF_BYTES, sniff } from '../../src/codecs/magic.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

function swapped(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le').swap16();
}

/** A classic TIFF head: its first directory at byte 8, and text behind the directory for the make. */
function tiffHead(order: 'II' | 'MM', tags: readonly (readonly [number, number])[], make = ''): Uint8Array {
  const little = order === 'II';
  const head = new Uint8Array(200);
  const view = new DataView(head.buffer);
  head.set(bytes(order));
  view.setUint16(2, 42, little);
  view.setUint32(4, 16, little);
  view.setUint16(16, tags.length, little);
  for (const [i, [tag, value]] of tags.entries()) {
    view.setUint16(18 + 12 * i, tag, little);
    view.setUint16(20 + 12 * i, 4, little);
    view.setUint32(22 + 12 * i, 1, little);
    view.setUint32(26 + 12 * i, value, little);
  }
  head.set(bytes(make), 150);
  return head;
}

function ftyp(...brands: readonly string[]): Uint8Array {
  const [major, ...compatible] = brands;
  const box = Buffer.from(`....ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1');
  box.writeUInt32BE(box.length, 0);
  return Buffer.concat([box, Buffer.from('....metaavif')]);
}

function bmp(headerSize: number): Uint8Array {
  const head = Buffer.alloc(60);
  head.write('BM', 0);
  head.writeUInt32LE(headerSize, 14);
  return head;
}

describe('real files of every format written by sharp', () => {
  const image = () =>
    sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 200, g: 10, b: 30 } } });

  test.each(['jpeg', 'png', 'gif', 'webp', 'tiff', 'avif'] as const)('%s', async (format) => {
    const encoded = await image().toFormat(format).toBuffer();
    expect(sniff(encoded.subarray(0, SNIFF_BYTES))).toBe(format);
  });

  test('BigTIFF is a TIFF', async () => {
    const encoded = await image().tiff({ bigtiff: true }).toBuffer();
    expect(sniff(encoded)).toBe('tiff');
  });
});

describe('an SVG is recognised', () => {
  test.each([
    ['bare', utf8('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['with a namespace prefix', utf8('<s:svg xmlns:s="http://www.w3.org/2000/svg"/>')],
    ['behind a byte order mark', utf8('\ufeff<svg/>')],
    ['behind blanks and line ends', utf8('\r\n\t  <svg>')],
    ['behind an XML prolog', utf8('<?xml version="1.0" encoding="UTF-8"?>\n<svg width="1">')],
    ['behind comments that hold markup', utf8('<?xml version="1.0"?><!-- <html> -- > --><!----><svg>')],
    ['behind a doctype', utf8('<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd"><svg>')],
    ['behind a doctype with entities', utf8('<!DOCTYPE svg [ <!ENTITY a "<b>"> ]><svg>')],
    ['cut inside the doctype that declares it', utf8(`<!DOCTYPE svg [ ${'<!ENTITY a "b">'.repeat(400)}`)],
    ['in UTF-16, little-endian', Buffer.from('\ufeff<?xml version="1.0"?><svg>', 'utf16le')],
    ['in UTF-16, big-endian', swapped('\ufeff<?xml version="1.0"?><svg>')],
    ['in UTF-16 without a mark, little-endian', Buffer.from('<svg>', 'utf16le')],
    ['in UTF-16 without a mark, big-endian', swapped('<svg>')],
  ])('%s', (_, head) => {
    expect(sniff(head)).toBe('svg');
  });

  test('also when the bytes end inside a character', () => {
    expect(sniff(utf8('<svg>é').subarray(0, 6))).toBe('svg');
  });
});

describe('what is no picture is named', () => {
  test.each([
    ['html', utf8('<!doctype html><html><svg/></html>')],
    ['html', utf8('<HTML lang="en">')],
    ['xml', utf8('<?xml version="1.0"?><svgs/>')],
    ['xml', utf8('<svgx/>')],
    ['text', utf8('version https://git-lfs.github.com/spec/v1\noid sha256:1\n')],
    ['text', utf8('an <svg> inside a sentence')],
    ['zip', bytes('PK\x03\x04....')],
    ['gzip', bytes('\x1f\x8b\x08')],
    ['npy', bytes('\x93NUMPY\x01\0')],
    ['video', ftyp('isom', 'mp41')],
    ['video', bytes('RIFF\0\0\0\0AVI LIST')],
  ])('%s', (type, head) => {
    expect(sniff(head)).toBe(type);
  });

  test.each([
    ['no bytes', new Uint8Array(0)],
    ['noise', Uint8Array.from({ length: 512 }, (_, i) => (i * 167 + 13) & 0xff)],
    ['half a magic', bytes('\x89PNG')],
    ['a sound file', bytes('RIFF\0\0\0\0WAVEfmt ')],
    ['text that begins as a bitmap does', bytes('BM\0 and no more')],
  ])('and %s is nothing known', (_, head) => {
    expect(sniff(head)).toBeUndefined();
  });

  test('text that begins as a bitmap does is text', () => {
    expect(sniff(utf8('BMW builds cars in Munich'))).toBe('text');
  });
});

describe('a picture that this build does not read is named', () => {
  test.each([
    ['heic', ftyp('heic', 'mif1', 'heic')],
    ['heic', ftyp('mif1', 'heic', 'hevc')],
    ['avif', ftyp('mif1', 'miaf', 'avif')],
    ['avif', ftyp('avis', 'msf1', 'avif')],
    ['cr3', ftyp('crx ', 'isom')],
    ['cr2', bytes('II*\0\x10\0\0\0CR\x02\0')],
    [
      'dng',
      tiffHead('II', [
        [254, 0],
        [50706, 0x0401],
      ]),
    ],
    [
      'nef',
      tiffHead(
        'MM',
        [
          [254, 1],
          [271, 150],
          [330, 99],
        ],
        'NIKON CORPORATION',
      ),
    ],
    [
      'arw',
      tiffHead(
        'II',
        [
          [254, 1],
          [271, 150],
          [330, 99],
        ],
        'SONY ',
      ),
    ],
    [
      'raw',
      tiffHead(
        'II',
        [
          [254, 1],
          [271, 150],
          [330, 99],
        ],
        'PENTAX',
      ),
    ],
    [
      'tiff',
      tiffHead(
        'II',
        [
          [254, 0],
          [271, 150],
          [330, 99],
        ],
        'NIKON CORPORATION',
      ),
    ],
    ['tiff', tiffHead('MM', [[254, 1]])],
    ['orf', bytes('IIRO\x08\0\0\0')],
    ['rw2', bytes('IIU\0\x18\0\0\0')],
    ['raf', bytes('FUJIFILMCCD-RAW 0201')],
    ['jxl', bytes('\xff\x0a\x00')],
    ['jxl', bytes('\0\0\0\x0cJXL \r\n\x87\n')],
    ['jp2', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
    ['psd', bytes('8BPS\0\x01')],
    ['exr', bytes('\x76\x2f\x31\x01\x02')],
    ['ico', bytes('\0\0\x01\0\x01\0\x10\x10\0\0')],
    ['pnm', bytes('P6\n1 1\n255\n...')],
    ['bmp', bmp(40)],
    ['bmp', bmp(124)],
  ] as const)('%s', (type, head) => {
    expect(sniff(head)).toBe(type);
  });
});

test('the head of a TIFF cut anywhere is looked at without an error', () => {
  const whole = tiffHead(
    'II',
    [
      [254, 1],
      [271, 150],
      [330, 99],
    ],
    'NIKON',
  );
  for (let length = 8; length < whole.length; length++) {
    expect(sniff(whole.subarray(0, length))).toBeDefined();
  }
  expect(sniff(whole.subarray(0, 7))).toBeUndefined();
});

test('a view into a larger buffer is read from its own start', () => {
  const padded = new Uint8Array(300);
  padded.set(tiffHead('II', [[50706, 1]]), 50);
  expect(sniff(padded.subarray(50))).toBe('dng');
});

describe('extensions', () => {
  test('each belongs to one format or type', () => {
    const all = [
      ...formats().flatMap((format) => FORMATS[format].extensions),
      ...Object.values(UNREADABLE_EXTENSIONS).flat(),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(all.map((extension) => extension.toLowerCase()));
  });

  test('are taken in any case, with or without the dot', () => {
    expect([formatOfExtension('JPG'), formatOfExtension('.jpeg'), formatOfExtension('TiF')]).toEqual([
      'jpeg',
      'jpeg',
      'tiff',
    ]);
    expect([formatOfExtension(''), formatOfExtension('.txt'), formatOfExtension('heic')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('the one for new files fits its own format and no other', () => {
    for (const format of formats()) {
      const fitting = formats().filter((other) => extensionFits(extensionOf(format), other));
      expect(fitting).toEqual([format]);
    }
    expect(extensionOf('jpeg')).toBe('jpg');
    expect(extensionFits('.JFIF', 'jpeg')).toBe(true);
    expect(extensionFits('png', 'jpeg')).toBe(false);
  });

  test('known pictures that are not read say their type, arrays and other files say nothing', () => {
    expect(['.HEIC', 'bmp', 'nef', 'hif'].map(unreadableTypeOf)).toEqual(['heic', 'bmp', 'nef', 'heic']);
    expect(['jpg', 'npy', 'txt', ''].map(unreadableTypeOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(['jpg', '.PNG', 'svg', 'heic', 'npy', 'txt'].map(readsExtension)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('of every format, only those sharp writes or we write are marked as written', () => {
    const written = formats().filter((format) => FORMATS[format].writes);
    expect(written).toEqual(['jpeg', 'png', 'gif', 'webp', 'tiff', 'avif', 'npy']);
    for (const format of written)
      if (format !== 'npy') expect(sharp.format).toHaveProperty(format === 'avif' ? 'heif' : format);
  });
});

describe('files whose name lies', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'imgtool-magic-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('the bytes decide', async () => {
    const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await writeFile(join(folder, 'picture.jpg'), png);
    expect(await sniffFile(join(folder, 'picture.jpg'))).toBe('png');
  });
});

const corpus = process.env.IMGTOOL_CORPUS;
describe.skipIf(!corpus)('the corpus', () => {
  const format = {
    photos: 'jpeg',
    oriented: 'jpeg',
    cmyk: 'jpeg',
    webp: 'webp',
    tiff: 'tiff',
    avif: 'avif',
    png: 'png',
  };

  test.each([...Object.entries(format), ['svg', 'svg'], ['pdf', 'pdf']])(
    '%s holds %s',
    async (folder, type) => {
      const names = await readdir(join(corpus ?? '', folder));
      const types = await Promise.all(names.map((name) => sniffFile(join(corpus ?? '', folder, name))));
      expect(names.filter((_, i) => types[i] !== type)).toEqual([]);
    },
  );

  test('and pretenders are known', async () => {
    const hostile = join(corpus ?? '', 'hostile');
    expect(await sniffFile(join(hostile, 'html-renamed.png'))).toBe('html');
    expect(await sniffFile(join(hostile, 'jpeg-named.png'))).toBe('jpeg');
    expect(await sniffFile(join(hostile, 'text-renamed.jpg'))).toBe('text');
    expect(await sniffFile(join(hostile, 'svg-billion-laughs.svg'))).toBe('svg');
    expect(await sniffFile(join(hostile, 'zero-length.jpg'))).toBeUndefined();
  });
});

async function sniffFile(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return sniff(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
