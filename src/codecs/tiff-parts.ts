import { bufferOf } from './containers/container.js';
import { type Entry, readDirectory } from './exif.js';
import { movable } from './exif-write.js';

/** Bytes before the first thing a TIFF points to. */
export const TIFF_HEADER_BYTES = 8;

/** The start of a little-endian TIFF whose first directory lies at an offset. */
export function tiffHeader(firstDirectory: number): Buffer {
  const bytes = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  bytes.writeUInt32LE(firstDirectory, 4);
  return bytes;
}

/** A little-endian entry of 16-bit numbers. */
export function shorts(tag: number, values: readonly number[]): Entry {
  const data = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) data.writeUInt16LE(value, 2 * index);
  return { tag, type: 3, count: values.length, data };
}

/** A little-endian entry of 32-bit numbers. */
export function longs(tag: number, values: readonly number[]): Entry {
  const data = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) data.writeUInt32LE(value, 4 * index);
  return { tag, type: 4, count: values.length, data };
}

/** The numbers of a little-endian entry of {@link shorts} or {@link longs}. */
export function numbersOf({ type, count, data }: Entry): number[] {
  const bytes = bufferOf(data);
  return Array.from({ length: count }, (_, index) =>
    type === 3 ? bytes.readUInt16LE(2 * index) : bytes.readUInt32LE(4 * index),
  );
}

const STRIP_OFFSETS = 0x0111;
const STRIP_BYTES = 0x0117;
const COMPRESSION = 0x0103;
const UNCOMPRESSED = 1;

/** Where the strips of a TIFF's first page are said to begin and end, as byte offsets that may lie outside the file. */
export function stripsOf(file: Uint8Array): { readonly at: number; readonly end: number }[] {
  const counts = numbersIn(file, STRIP_BYTES);
  return numbersIn(file, STRIP_OFFSETS).map((at, index) => ({ at, end: at + (counts[index] ?? 0) }));
}

/**
 * A TIFF with a strip cut in two, made as long as it says with zeros, so that the rows that are there decode: libtiff
 * gives a strip whole or not at all. Compressed strips are left, since zeros mean nothing there, and so is a file
 * that claims more than `most` bytes.
 */
export function lengthened(file: Uint8Array, most: number): Uint8Array {
  const ends = stripsOf(file).flatMap(({ at, end }) => (at < file.length ? [end] : []));
  const missing = Math.max(0, ...ends) - file.length;
  const isPlain = numbersIn(file, COMPRESSION)[0] === UNCOMPRESSED;
  return isPlain && missing > 0 && missing <= most ? Buffer.concat([file, Buffer.alloc(missing)]) : file;
}

function numbersIn(file: Uint8Array, wanted: number): number[] {
  const directory = readDirectory(file);
  const entry = directory?.entries.find(({ tag }) => tag === wanted);
  if (directory === undefined || entry === undefined) return [];
  return movable([entry], directory.order, 'II').flatMap(numbersOf);
}
