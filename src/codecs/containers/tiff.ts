import { type Directory, type Entry, readDirectory, readTree, TAG } from '../exif.js';
import { directoryBytes, exifBytes, movable } from '../exif-write.js';
import { type Blobs, type Embedded, refused } from './container.js';

/**
 * Gives the first page of a TIFF the EXIF's tags and the XMP, by writing a new first directory at the end of the
 * file; pixels and further pages stay where they are. EXIF is taken apart for it: in a TIFF its tags are the
 * picture's own, so a maker's note (which counts offsets from its old place) and a thumbnail cannot come along.
 */
export function embedInTiff(encoded: Uint8Array, blobs: Blobs): Embedded {
  const page = readDirectory(encoded);
  if (!page?.whole) return refused(encoded, blobs);
  const tree = blobs.exif && readTree(blobs.exif);
  const added = [...exifEntries(tree, page), ...(blobs.xmp ? [xmpEntry(blobs.xmp)] : [])];
  const taken = new Set(added.map(({ tag }) => tag));
  const kept = page.entries.filter(({ tag }) => !taken.has(tag));
  const replaced = page.entries.filter(({ tag }) => taken.has(tag));
  const bytes = withFirstDirectory(blanked(encoded, replaced), page, [...kept, ...added]);
  return { bytes, lost: blobs.exif ? lostParts(tree) : [] };
}

/** A copy of even length without the values that nothing will point to any more, so that none is left to be found. */
function blanked(encoded: Uint8Array, replaced: readonly Entry[]): Buffer {
  const file = Buffer.alloc(encoded.length + (encoded.length % 2));
  file.set(encoded);
  for (const { at, data } of replaced) if (at !== undefined) file.fill(0, at, at + data.length);
  return file;
}

function withFirstDirectory(file: Buffer, { order, next }: Directory, entries: readonly Entry[]): Uint8Array {
  if (order === 'II') file.writeUInt32LE(file.length, 4);
  else file.writeUInt32BE(file.length, 4);
  return Buffer.concat([file, directoryBytes(entries, { order, at: file.length, next })]);
}

/** Tags that say how the file's own pixels, pages and profiles are stored; an EXIF's copy of them is not ours. */
const OWN_TAGS: readonly (readonly [number, number])[] = [
  [0x00fe, 0x010a],
  [0x0111, 0x0119],
  [0x011c, 0x0127],
  [0x0129, 0x0129],
  [0x012d, 0x012d],
  [0x013d, 0x015b],
  [0x0200, 0x0214],
  [TAG.xmp, TAG.xmp],
  [0x83bb, 0x83bb],
  [0x8649, 0x8649],
  [0x8773, 0x8773],
];

function exifEntries(tree: Directory | undefined, page: Directory): readonly Entry[] {
  return tree ? movable(foreign(tree.entries), tree.order, page.order) : [];
}

function foreign(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ tag }) => !OWN_TAGS.some(([from, to]) => tag >= from && tag <= to));
}

/** What a TIFF file says beside how it is stored, as an EXIF blob for another container; undefined when nothing. */
export function exifOfTiff(file: Uint8Array): Uint8Array | undefined {
  const tree = readTree(file);
  const entries = tree ? movable(foreign(tree.entries), tree.order, 'II') : [];
  return entries.length === 0 ? undefined : exifBytes(entries);
}

function xmpEntry(xmp: Uint8Array): Entry {
  return { tag: TAG.xmp, type: 1, count: xmp.length, data: xmp };
}

function lostParts(tree: Directory | undefined): string[] {
  if (!tree) return ['EXIF'];
  const exif = tree.entries.find(({ tag }) => tag === TAG.exif)?.children ?? [];
  return [
    ...(tree.whole ? [] : ['EXIF tags that cannot be read']),
    ...(exif.some(({ tag }) => tag === TAG.makerNote) ? ['EXIF maker note'] : []),
    ...(tree.next === 0 ? [] : ['EXIF thumbnail']),
  ];
}
