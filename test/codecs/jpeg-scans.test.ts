import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpegHeader } from '../../src/codecs/jpeg-markers.js';
import { eighthApplies, keepScansForEighth } from '../../src/codecs/jpeg-scans.js';
import { cjpeg, jpegtran, needsTools, open, picture, resized, skipWithoutTools } from './jpeg-samples.js';

const drawn = picture(160, 120, 5);
const progressive = await open(drawn).jpeg({ progressive: true, quality: 85 }).toBuffer();
const baseline = await open(drawn).jpeg({ quality: 85 }).toBuffer();
const target = { width: 17 };

const EXACT = '0 1 2: 0-0, 0, 0;\n0: 1-63, 0, 0;\n1: 1-63, 0, 0;\n2: 1-63, 0, 0;';

/** Where each segment with this marker starts; good enough for files whose entropy data are stuffed. */
function markers(jpeg: Buffer, marker: number): number[] {
  const found: number[] = [];
  for (let at = jpeg.indexOf(marker, 0); at >= 0; at = jpeg.indexOf(marker, at + 1)) {
    if (jpeg[at - 1] === 0xff) found.push(at - 1);
  }
  return found;
}

function first(jpeg: Buffer, marker: number): number {
  const [at] = markers(jpeg, marker);
  if (at === undefined) throw new Error(`expected a marker ${marker.toString(16)}, received none`);
  return at;
}

function last(jpeg: Buffer, marker: number): number {
  return markers(jpeg, marker).at(-1) ?? Number.NaN;
}

function insert(jpeg: Buffer, at: number, bytes: readonly number[] | Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, at), Buffer.from(bytes), jpeg.subarray(at)]);
}

function patched(jpeg: Buffer, at: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(jpeg);
  copy.set(bytes, at);
  return copy;
}

async function expectSame(jpeg: Buffer): Promise<Uint8Array> {
  const cut = keepScansForEighth(jpeg);
  if (cut === undefined) throw new Error('expected a cut stream, received none');
  expect((await resized(cut, target)).equals(await resized(jpeg, target))).toBe(true);
  return cut;
}

describe('keepScansForEighth', () => {
  it('keeps a small part of the bytes, the same pixels at 1/8, and the input as it was', async () => {
    const before = Buffer.from(progressive);
    const cut = await expectSame(progressive);
    expect(cut.length).toBeLessThan(progressive.length / 2);
    expect(progressive.equals(before)).toBe(true);
  });

  it('changes the pixels at 1/4, which is why the scale has to be known', async () => {
    const cut = keepScansForEighth(progressive) ?? progressive;
    const quarter = { width: 30 };
    expect((await resized(cut, quarter)).equals(await resized(progressive, quarter))).toBe(false);
  });

  it('works on a view into a larger buffer', () => {
    const padded = new Uint8Array(progressive.length + 20);
    padded.set(progressive, 9);
    const cut = keepScansForEighth(padded.subarray(9, 9 + progressive.length));
    expect(cut).toEqual(keepScansForEighth(progressive));
  });

  it('keeps EXIF, the ICC profile and the bytes after EOI', async () => {
    const tagged = await open(drawn)
      .withExif({ IFD0: { Copyright: 'nobody' } })
      .withIccProfile('p3')
      .jpeg({ progressive: true })
      .toBuffer();
    const trailer = Buffer.from('appended by a camera');
    const cut = await expectSame(Buffer.concat([tagged, trailer]));
    const [before, after] = await Promise.all([sharp(tagged).metadata(), sharp(cut).metadata()]);
    expect({ ...after, size: 0 }).toEqual({ ...before, size: 0 });
    expect(Buffer.from(cut).subarray(-trailer.length).equals(trailer)).toBe(true);
  });

  it('reads over fill bytes before markers', async () => {
    const ends = [
      first(progressive, 0xda),
      last(progressive, 0xc4),
      last(progressive, 0xda),
      last(progressive, 0xd9),
    ];
    const filled = ends
      .sort((a, b) => b - a)
      .reduce<Buffer>((jpeg, at) => insert(jpeg, at, [0xff, 0xff]), progressive);
    await expectSame(filled);
  });

  it('keeps a comment between scans', async () => {
    const remark = Buffer.from([0xff, 0xfe, 0, 6, 1, 2, 3, 4]);
    const cut = await expectSame(insert(progressive, last(progressive, 0xda), remark));
    expect(Buffer.from(cut).includes(remark)).toBe(true);
  });

  const left: readonly (readonly [string, Buffer])[] = [
    ['no bytes', Buffer.alloc(0)],
    ['two bytes', progressive.subarray(0, 2)],
    ['something else', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['a baseline JPEG', baseline],
    ['a file without its EOI', progressive.subarray(0, -2)],
    ['a file cut in its first scan', progressive.subarray(0, first(progressive, 0xda) + 200)],
    ['a file cut in a header', progressive.subarray(0, first(progressive, 0xc2) + 5)],
    ['a file without its last scan', withoutLastScan(progressive)],
    ['a scan of no bytes', emptyLastScan(progressive)],
    ['bytes between segments', insert(progressive, last(progressive, 0xda), [1, 2, 3])],
    ['a restart marker without an interval', insert(progressive, last(progressive, 0xd9) - 4, [0xff, 0xd0])],
    ['a second frame', insert(progressive, first(progressive, 0xc4), segment(progressive, 0xc2))],
    [
      'a quantization table between scans',
      insert(progressive, last(progressive, 0xda), segment(progressive, 0xdb)),
    ],
    [
      'a quantization table of neither 8 nor 16 bits',
      patched(progressive, first(progressive, 0xdb) + 4, 0x20),
    ],
    ['a quantization table left out', without(progressive, 0xdb)],
    ['a Huffman table left out', without(progressive, 0xc4)],
    ['a Huffman table with too many codes', patched(progressive, last(progressive, 0xc4) + 5, 3)],
    ['DNL', insert(progressive, last(progressive, 0xd9), [0xff, 0xdc, 0, 4, 0, 120])],
    ['a height of 0, to come by DNL', patched(progressive, first(progressive, 0xc2) + 5, 0, 0)],
    ['12 bits a sample', patched(progressive, first(progressive, 0xc2) + 4, 12)],
    ['a lossless frame', patched(progressive, first(progressive, 0xc2) + 1, 0xc3)],
    ['a hierarchical frame', patched(progressive, first(progressive, 0xc2) + 1, 0xc6)],
    ['an arithmetic frame', patched(progressive, first(progressive, 0xc2) + 1, 0xca)],
    ['arithmetic conditioning', insert(progressive, first(progressive, 0xda), [0xff, 0xcc, 0, 4, 0, 0])],
    ['a sampling factor of 0', patched(progressive, first(progressive, 0xc2) + 11, 0x02)],
    ['two components of one name', patched(progressive, first(progressive, 0xc2) + 13, 1)],
    ['a scan of an unknown component', patched(progressive, last(progressive, 0xda) + 5, 9)],
    ['a scan sent twice', insert(progressive, last(progressive, 0xd9), lastScan(progressive))],
    ['a single scan of all coefficients', patched(baseline, first(baseline, 0xc0) + 1, 0xc2)],
    ['a Huffman table of colliding codes', colliding(progressive)],
    ['a scan out of turn', patched(progressive, last(progressive, 0xda) + 9, 0x21)],
    ['pictures found by offset (MPF)', insert(progressive, 2, mpf())],
  ];

  it.each(left)('leaves alone: %s', (_, jpeg) => {
    expect(keepScansForEighth(jpeg)).toBeUndefined();
  });

  it.skipIf(skipWithoutTools)(`leaves alone AC scans that come before their DC ${needsTools}`, () => {
    const jpeg = jpegtran([], baseline, EXACT);
    const start = first(jpeg, 0xda);
    const end = markers(jpeg, 0xc4).find((at) => at > start) ?? Number.NaN;
    const rest = Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(end)]);
    expect(keepScansForEighth(insert(rest, last(rest, 0xd9), jpeg.subarray(start, end)))).toBeUndefined();
  });

  it.skipIf(skipWithoutTools)(`leaves alone a refinement that skips a bit ${needsTools}`, () => {
    const script = '0: 0-0, 0, 0;\n0: 1-63, 0, 2;\n0: 1-63, 2, 1;\n0: 1-63, 1, 0;';
    const jpeg = jpegtran([], cjpeg([], picture(160, 120, 5, 1)), script);
    const shorter = withoutLastScan(jpeg);
    const bits = last(shorter, 0xda) + 9;
    expect(shorter[bits]).toBe(0x21);
    expect(keepScansForEighth(patched(shorter, bits, 0x20))).toBeUndefined();
  });

  it.skipIf(skipWithoutTools).each([
    ['1x1', 1],
    ['2x1', 1],
    ['1x2', 1],
    ['4x1', 1],
    ['2x2', 3],
    ['4x2', 3],
  ])(`keeps no more scans than the sampling %s needs: %d ${needsTools}`, (sample, scans) => {
    const jpeg = jpegtran([], cjpeg(['-sample', sample], drawn), EXACT);
    expect(markers(Buffer.from(keepScansForEighth(jpeg) ?? []), 0xda)).toHaveLength(scans);
  });

  it.skipIf(skipWithoutTools)(`leaves arithmetic coding alone ${needsTools}`, () => {
    expect(keepScansForEighth(jpegtran(['-arithmetic', '-progressive'], baseline))).toBeUndefined();
  });

  it.skipIf(skipWithoutTools)(
    `leaves alone what libjpeg would smooth: coefficients missing or inexact ${needsTools}`,
    () => {
      const dcOnly = jpegtran([], baseline, '0 1 2: 0-0, 0, 0;');
      const unrefined = jpegtran([], baseline, EXACT.replace('1: 1-63, 0, 0', '1: 1-63, 0, 1'));
      expect([dcOnly, unrefined].map(keepScansForEighth)).toEqual([undefined, undefined]);
    },
  );

  it.skipIf(skipWithoutTools)(
    `leaves alone a file of more scans than any encoder makes ${needsTools}`,
    () => {
      const gray = cjpeg([], picture(160, 120, 5, 1));
      const single = Array.from({ length: 63 }, (_, index) => `0: ${index + 1}-${index + 1}, 0, 0;`);
      const most = ['0: 0-0, 0, 0;', ...single];
      const oneMore = [...most.slice(0, -1), '0: 63-63, 0, 1;', '0: 63-63, 1, 0;'];
      expect(keepScansForEighth(jpegtran([], gray, most.join('\n')))).toBeDefined();
      expect(keepScansForEighth(jpegtran([], gray, oneMore.join('\n')))).toBeUndefined();
    },
  );

  it.skipIf(skipWithoutTools)(
    `gives a shared quantization table's component a slot of its own ${needsTools}`,
    async () => {
      const jpeg = jpegtran([], cjpeg(['-qslots', '0', '-sample', '2x2'], drawn), EXACT);
      const cut = Buffer.from(await expectSame(jpeg));
      const frame = first(cut, 0xc2);
      expect([11, 14, 17].map((offset) => cut[frame + offset + 1])).toEqual([1, 0, 0]);
    },
  );

  it.skipIf(skipWithoutTools)(`keeps 16-bit quantization tables 16-bit ${needsTools}`, async () => {
    const jpeg = jpegtran([], cjpeg(['-quality', '8', '-sample', '1x1'], picture(400, 300, 9)), EXACT);
    expect((jpeg[first(jpeg, 0xdb) + 4] ?? 0) >> 4).toBe(1);
    await expectSame(jpeg);
  });

  it.skipIf(skipWithoutTools)(
    `leaves alone restart markers that come out of turn ${needsTools}`,
    async () => {
      const jpeg = jpegtran(['-restart', '1'], baseline, EXACT);
      await expectSame(jpeg);
      expect(keepScansForEighth(patched(jpeg, last(jpeg, 0xd1) + 1, 0xd3))).toBeUndefined();
    },
  );
});

describe('jpegHeader', () => {
  it('tells a progressive file from a baseline one, with its stored size', () => {
    const size = { precision: 8, width: 160, height: 120, components: 3 };
    expect(jpegHeader(progressive)).toEqual({ progressive: true, ...size });
    expect(jpegHeader(baseline)).toEqual({ progressive: false, ...size });
  });

  it('needs no more than the bytes up to the frame header', () => {
    const end = first(progressive, 0xc2) + 19;
    expect(jpegHeader(progressive.subarray(0, end))).toEqual(jpegHeader(progressive));
    expect(jpegHeader(progressive.subarray(0, end - 1))).toBeUndefined();
  });

  it('is undefined for what is no JPEG', () => {
    expect(jpegHeader(Buffer.from('GIF89a'))).toBeUndefined();
    expect(jpegHeader(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('eighthApplies', () => {
  const stored = { width: 3600, height: 1800 };

  it('asks for a shrink of 9 on both axes', () => {
    expect(eighthApplies(stored, { width: 400 }, false)).toBe(true);
    expect(eighthApplies(stored, { width: 401 }, false)).toBe(false);
    expect(eighthApplies(stored, { width: 400, height: 400, fit: 'cover' }, false)).toBe(false);
    expect(eighthApplies(stored, { width: 400, height: 400, fit: 'inside' }, false)).toBe(true);
  });

  it('compares what is shown, and both ways while the orientation is not known', () => {
    expect(eighthApplies(stored, { width: 400 }, true)).toBe(false);
    expect(eighthApplies(stored, { width: 400 }, undefined)).toBe(false);
    expect(eighthApplies(stored, { width: 200 }, undefined)).toBe(true);
  });

  it('is false without a size and for a picture smaller than the shrink', () => {
    expect(eighthApplies(stored, {}, false)).toBe(false);
    expect(eighthApplies({ width: 900, height: 8 }, { width: 10 }, false)).toBe(false);
  });
});

function segment(jpeg: Buffer, marker: number): Buffer {
  const at = first(jpeg, marker);
  return jpeg.subarray(at, at + 2 + jpeg.readUInt16BE(at + 2));
}

function without(jpeg: Buffer, marker: number): Buffer {
  const at = first(jpeg, marker);
  return Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + 2 + jpeg.readUInt16BE(at + 2))]);
}

function withoutLastScan(jpeg: Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, last(jpeg, 0xda)), jpeg.subarray(last(jpeg, 0xd9))]);
}

function lastScan(jpeg: Buffer): Buffer {
  return jpeg.subarray(last(jpeg, 0xda), last(jpeg, 0xd9));
}

/** A Huffman table with two of its codes shortened to one bit, which leaves no room for the others. */
function colliding(jpeg: Buffer): Buffer {
  const counts = markers(jpeg, 0xc4).map((at) => jpeg.subarray(at + 5, at + 21));
  const table = counts.findLast((lengths) => lengths.some((count) => count >= 2)) ?? Buffer.alloc(0);
  const at = table.byteOffset - jpeg.byteOffset;
  const long = table.findLastIndex((count) => count >= 2);
  return patched(patched(jpeg, at + long, (table[long] ?? 0) - 2), at, 2 + (table[0] ?? 0));
}

function emptyLastScan(jpeg: Buffer): Buffer {
  const at = last(jpeg, 0xda);
  return Buffer.concat([
    jpeg.subarray(0, at + 2 + jpeg.readUInt16BE(at + 2)),
    jpeg.subarray(last(jpeg, 0xd9)),
  ]);
}

function mpf(): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xe2, 0, 10]), Buffer.from('MPF\0II*\0')]);
}
