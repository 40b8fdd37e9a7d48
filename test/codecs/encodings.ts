/** Pictures in every encoding metadata is written into, and readers of the result that share no code with the writer. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { MetadataFormat } from '../../src/codecs/rights-write.js';
import { picture } from './exif-blobs.js';

/** Encodings whose containers differ: simple and extended headers, alpha, profiles, frames, pages, palettes. */
export const ENCODINGS: readonly (readonly [
  name: string,
  format: MetadataFormat,
  encode: () => Promise<Buffer>,
])[] = [
  ['JPEG', 'jpeg', () => picture(3).jpeg().toBuffer()],
  [
    'progressive JPEG with a profile',
    'jpeg',
    () => picture(3).keepIccProfile().withIccProfile('p3').jpeg({ progressive: true }).toBuffer(),
  ],
  ['gray mozjpeg', 'jpeg', () => picture(1).jpeg({ mozjpeg: true }).toBuffer()],
  ['PNG', 'png', () => picture(4).png().toBuffer()],
  [
    'palette PNG with a profile',
    'png',
    () => picture(3).withIccProfile('p3').png({ palette: true }).toBuffer(),
  ],
  ['lossy WebP', 'webp', () => picture(3).webp().toBuffer()],
  ['lossless WebP', 'webp', () => picture(3, 300, 257).webp({ lossless: true }).toBuffer()],
  ['lossy WebP with alpha', 'webp', () => picture(4).webp().toBuffer()],
  ['lossless WebP with alpha', 'webp', () => picture(4, 5, 3).webp({ lossless: true }).toBuffer()],
  ['WebP with a profile', 'webp', () => picture(4).withIccProfile('p3').webp().toBuffer()],
  [
    'animated WebP',
    'webp',
    () =>
      strip()
        .webp({ loop: 3, delay: [40, 50, 60] })
        .toBuffer(),
  ],
  ['deflate TIFF', 'tiff', () => picture(4).tiff({ compression: 'deflate' }).toBuffer()],
  [
    'tiled, pyramidal TIFF with a profile',
    'tiff',
    () => picture(3, 600, 500).withIccProfile('p3').tiff({ tile: true, pyramid: true }).toBuffer(),
  ],
  ['TIFF of three pages', 'tiff', () => strip().tiff({ compression: 'lzw' }).toBuffer()],
  ['GIF', 'gif', () => picture(3).gif().toBuffer()],
  [
    'animated GIF',
    'gif',
    () =>
      strip()
        .gif({ loop: 3, delay: [40, 50, 60] })
        .toBuffer(),
  ],
  ['AVIF', 'avif', () => picture(3).avif({ effort: 0 }).toBuffer()],
  [
    'AVIF with alpha and a profile',
    'avif',
    () => picture(4).withIccProfile('p3').avif({ effort: 0 }).toBuffer(),
  ],
];

/** Three frames of 20 by 10 pixels. */
export function strip() {
  const data = new Uint8Array(20 * 30 * 4).map((_, index) => (index % 4 === 3 ? 255 : (index >> 6) * 9));
  return sharp(data, { raw: { width: 20, height: 30, channels: 4, pageHeight: 10 } });
}

/** Every page's pixels, one by one because a pyramid's differ in size, and what the header says around them. */
export async function decoded(file: Uint8Array) {
  const { pages = 1, pageHeight, delay, loop, hasAlpha, density, icc } = await sharp(file).metadata();
  const pixels = Array.from({ length: pages }, async (_, page) => {
    const { data, info } = await sharp(file, { page, failOn: 'warning' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { info, hash: createHash('sha256').update(data).digest('hex') };
  });
  return { pixels: await Promise.all(pixels), pages, pageHeight, delay, loop, hasAlpha, density, icc };
}

/** The tags of the first directory, read without the code under test. */
export async function tagsOf(file: Uint8Array, format: MetadataFormat): Promise<Map<number, Buffer>> {
  const { exif = Buffer.alloc(0) } =
    format === 'tiff' ? { exif: Buffer.from(file) } : await sharp(file).metadata();
  const blob = exif.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0);
  if (blob.toString('latin1', 0, 2) !== 'II') throw new Error('the writer changed its byte order');
  return directory(blob, blob.readUInt32LE(4));
}

export function directory(blob: Buffer, at: number): Map<number, Buffer> {
  return new Map(
    Array.from({ length: blob.readUInt16LE(at) }, (_, index) => {
      const entry = at + 2 + 12 * index;
      const ascii = blob.readUInt16LE(entry + 2) === 2 && blob.readUInt32LE(entry + 4) > 4;
      const start = ascii ? blob.readUInt32LE(entry + 8) : entry + 8;
      const value = blob.subarray(start, start + (ascii ? blob.readUInt32LE(entry + 4) : 4));
      return [blob.readUInt16LE(entry), value];
    }),
  );
}
