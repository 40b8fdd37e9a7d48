/** Pixels of 8 bits a channel, row by row. */
export interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/**
 * Raw pixels as an uncompressed TIFF (TIFF 6.0, sections 2, 4 and 6) in two pieces, so that they go through the same
 * pipeline, isolated and bounded, as every picture: the file's head, and the pixels as they are, as one strip.
 */
export function tiffOfPixels({ data, width, height, channels }: RawPixels): [Buffer, Uint8Array] {
  const entries: readonly (readonly [number, number, number, number])[] = [
    [TAG.width, LONG, 1, width],
    [TAG.height, LONG, 1, height],
    [TAG.bits, SHORT, channels, channels === 1 ? 8 : BITS_AT],
    [TAG.compression, SHORT, 1, 1],
    [TAG.photometric, SHORT, 1, channels === 1 ? 1 : 2],
    [TAG.stripOffset, LONG, 1, PIXELS_AT],
    [TAG.channels, SHORT, 1, channels],
    [TAG.rowsPerStrip, LONG, 1, height],
    [TAG.stripBytes, LONG, 1, data.length],
  ];
  const head = Buffer.alloc(PIXELS_AT);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + index * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(value, at + 8);
  }
  for (let at = 0; at < 3; at += 1) head.writeUInt16LE(8, BITS_AT + at * 2);
  return [head, data];
}

/** The data of a NumPy file of version 1, which begin where its header ends (numpy.lib.format). */
export function pixelsOfNpy(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return file.subarray(10 + view.getUint16(8, true));
}

const SHORT = 3;
const LONG = 4;
const BITS_AT = 128;
const PIXELS_AT = 144;

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffset: 273,
  channels: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
} as const;

/** What is known of decoded pixels before they are sent. */
export interface DecodedShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits a channel; 16 are little-endian. */
  readonly depth: 8 | 16;
}

/** Decoded pixels as a service without alpha and 16 bits takes them: laid on white, the upper 8 bits kept. */
export function plainPixels(data: Uint8Array, { width, height, channels, depth }: DecodedShape): RawPixels {
  const step = depth / 8;
  const sample = (index: number): number => data[index * step + step - 1] ?? 0;
  const kept = channels < 3 ? 1 : 3;
  const hasAlpha = channels % 2 === 0;
  const pixels = new Uint8Array(width * height * kept);
  for (let at = 0; at < pixels.length; at += 1) {
    const first = Math.floor(at / kept) * channels;
    const value = sample(first + (at % kept));
    const alpha = hasAlpha ? sample(first + channels - 1) : 255;
    pixels[at] = Math.round((value * alpha + 255 * (255 - alpha)) / 255);
  }
  return { data: pixels, width, height, channels: kept };
}
