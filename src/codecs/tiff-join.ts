import { type Entry, readDirectory } from './exif.js';
import { directoryBytes, movable } from './exif-write.js';
import { longs, numbersOf, TIFF_HEADER_BYTES, tiffHeader } from './tiff-parts.js';

/** Tag numbers of TIFF 6.0 that say where strips or tiles are, and how many bytes of each. */
const PLACES = [
  { offsets: 0x0111, counts: 0x0117 },
  { offsets: 0x0144, counts: 0x0145 },
] as const;

/**
 * Joins TIFFs of one page each, all little-endian as sharp writes them, into one file of several pages whose sizes
 * and kinds may differ. Pixels are copied as they are encoded. Throws when a page cannot be read.
 */
export function joinTiffs(files: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let end = TIFF_HEADER_BYTES;
  const directories = files.map(pageOf).map(({ strips, offsetsTag, entries }) => {
    const offsets = strips.map((strip) => {
      const at = end;
      parts.push(strip, Buffer.alloc(strip.length % 2));
      end += strip.length + (strip.length % 2);
      return at;
    });
    return [...entries, longs(offsetsTag, offsets)];
  });
  return Buffer.concat([tiffHeader(end), ...parts, ...chained(directories, end)]);
}

/** Directories one behind the other from `start`, each naming the next. */
export function chained(directories: readonly (readonly Entry[])[], start: number): Uint8Array[] {
  let at = start;
  return directories.map((entries, index) => {
    const place = { order: 'II', at } as const;
    at += directoryBytes(entries, { ...place, next: 0 }).length;
    return directoryBytes(entries, { ...place, next: index === directories.length - 1 ? 0 : at });
  });
}

interface Page {
  readonly strips: readonly Uint8Array[];
  readonly offsetsTag: number;
  /** All but the places of the strips, which are yet to be settled. */
  readonly entries: readonly Entry[];
}

function pageOf(file: Uint8Array): Page {
  const directory = readDirectory(file);
  const entryOf = (tag: number) => directory?.entries.find((entry) => entry.tag === tag);
  for (const { offsets: offsetsTag, counts: countsTag } of PLACES) {
    const [offsets, counts] = [entryOf(offsetsTag), entryOf(countsTag)];
    if (offsets === undefined || counts === undefined || directory?.order !== 'II') continue;
    const lengths = numbersOf(counts);
    return {
      offsetsTag,
      strips: numbersOf(offsets).map((at, index) => file.subarray(at, at + (lengths[index] ?? 0))),
      entries: movable(
        directory.entries.filter((entry) => entry !== offsets),
        'II',
        'II',
      ),
    };
  }
  throw new Error('expected little-endian TIFFs to join');
}
