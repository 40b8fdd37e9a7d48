import type { Pixels } from '../kernels/pixels.js';
import type { Entry } from './exif.js';
import { chained } from './tiff-join.js';
import { longs, shorts, TIFF_HEADER_BYTES, tiffHeader } from './tiff-parts.js';

/**
 * Raw pixels with an ICC profile, as an uncompressed TIFF (6.0, sections 8 and 18) of pages `pageHeight` high: sharp
 * takes a profile from a file only, never beside raw pixels, and keeps in what it writes the profile it read.
 */
export function taggedPixels(pixels: Pixels, icc: Uint8Array, pageHeight = pixels.height): Buffer {
  const { data, height } = pixels;
  const samples = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const profileAt = TIFF_HEADER_BYTES + samples.length + (samples.length % 2);
  const start = profileAt + icc.length + (icc.length % 2);
  const pages = height / pageHeight;
  const stripBytes = samples.length / pages;
  const directories = Array.from({ length: pages }, (_, page) => [
    ...layout(pixels, pageHeight),
    longs(0x0111, [TIFF_HEADER_BYTES + page * stripBytes]),
    longs(0x0117, [stripBytes]),
    // every page points at the one profile
    { tag: 0x8773, type: UNDEFINED, count: icc.length, data: icc, at: profileAt },
  ]);
  const even = (part: Uint8Array): Uint8Array[] => [part, Buffer.alloc(part.length % 2)];
  return Buffer.concat([tiffHeader(start), ...even(samples), ...even(icc), ...chained(directories, start)]);
}

const UNDEFINED = 7;
const UNCOMPRESSED = 1;
const BLACK_IS_ZERO = 1;
const RGB = 2;
const UNASSOCIATED_ALPHA = 2;

function layout({ data, width, channels }: Pixels, pageHeight: number): Entry[] {
  const bits = Array.from({ length: channels }, () => data.BYTES_PER_ELEMENT * 8);
  return [
    longs(0x0100, [width]),
    longs(0x0101, [pageHeight]),
    shorts(0x0102, bits),
    shorts(0x0103, [UNCOMPRESSED]),
    shorts(0x0106, [channels < 3 ? BLACK_IS_ZERO : RGB]),
    shorts(0x0115, [channels]),
    longs(0x0116, [pageHeight]),
    ...(channels % 2 === 0 ? [shorts(0x0152, [UNASSOCIATED_ALPHA])] : []),
  ];
}
