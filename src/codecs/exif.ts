/**
 * The TIFF structure (TIFF 6.0, section 2) that EXIF, and TIFF files themselves, are made of: a byte order,
 * and directories of tagged values. Everything read is bounds-checked, because it comes from a stranger's file.
 */

/** `II` is least significant byte first, `MM` most significant first. */
export type ByteOrder = 'II' | 'MM';

/** One tagged value of a directory. */
export interface Entry {
  readonly tag: number;
  /** The TIFF value type, such as 2 for ASCII. */
  readonly type: number;
  /** How many values of that type `data` holds. */
  readonly count: number;
  /** The value's bytes, in the byte order of the structure it was read from. */
  readonly data: Uint8Array;
  /** Where `data` already lies in the bytes being written to; absent when it has yet to be placed. */
  readonly at?: number;
  /** The entries of the directory this one points to (EXIF, GPS, interoperability). */
  readonly children?: readonly Entry[];
}

/** A directory as read: its readable entries, and the offset of the next directory (0 for none). */
export interface Directory {
  readonly order: ByteOrder;
  readonly entries: readonly Entry[];
  readonly next: number;
  /** Whether every entry it declares lies inside the bytes. */
  readonly whole: boolean;
}

/** Tag numbers this project names. */
export const TAG = {
  orientation: 0x0112,
  xResolution: 0x011a,
  yResolution: 0x011b,
  resolutionUnit: 0x0128,
  artist: 0x013b,
  xmp: 0x02bc,
  copyright: 0x8298,
  exif: 0x8769,
  gps: 0x8825,
  makerNote: 0x927c,
  interoperability: 0xa005,
} as const;

/** Bytes that one value of each TIFF type takes; 129 is EXIF 3.0's UTF-8. */
// biome-ignore format: one line reads as the table in the specification
export const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1,
};

/** Bytes that one entry of a directory takes. */
export const ENTRY_BYTES = 12;
const PREFIX = Buffer.from('Exif\0\0', 'latin1');

/** The TIFF structure inside an EXIF blob: the `Exif\0\0` that JPEG puts before it is taken off. */
export function tiffOf(exif: Uint8Array): Uint8Array {
  const start = exif.subarray(0, PREFIX.length);
  return PREFIX.equals(start) ? exif.subarray(PREFIX.length) : exif;
}

/** The first directory of a classic TIFF structure, or undefined where there is none to read (BigTIFF included). */
export function readDirectory(tiff: Uint8Array): Directory | undefined {
  const reader = readerOf(tiff);
  return reader && directoryAt(reader, reader.u32(4));
}

/**
 * The entries of a first directory with the directories they point to, ready to be placed elsewhere. `whole` is
 * false when something could not be followed, or the values overlap so much that they outgrow the structure.
 */
export function readTree(tiff: Uint8Array): Directory | undefined {
  const reader = readerOf(tiff);
  const root = reader && directoryAt(reader, reader.u32(4));
  if (!reader || !root) return undefined;
  const budget = { left: tiff.length };
  const tree = treeOf(reader, root, budget, 0);
  return { ...root, entries: tree.entries, whole: tree.whole };
}

interface Reader {
  readonly order: ByteOrder;
  readonly bytes: Uint8Array;
  u16(at: number): number;
  u32(at: number): number;
}

function readerOf(tiff: Uint8Array): Reader | undefined {
  if (tiff.length < 8) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return undefined;
  const little = mark === 0x4949;
  if (view.getUint16(2, little) !== 42) return undefined;
  return {
    order: little ? 'II' : 'MM',
    bytes: tiff,
    u16: (at) => view.getUint16(at, little),
    u32: (at) => view.getUint32(at, little),
  };
}

function directoryAt(reader: Reader, at: number): Directory | undefined {
  const { length } = reader.bytes;
  if (at < 8 || at + 2 > length) return undefined;
  const count = reader.u16(at);
  const end = at + 2 + ENTRY_BYTES * count;
  if (end > length) return undefined;
  const entries = Array.from({ length: count }, (_, index) => entryAt(reader, at + 2 + ENTRY_BYTES * index));
  const readable = entries.filter((entry) => entry !== undefined);
  // Some writers leave the pointer to the next directory out at the end of the blob.
  const next = end + 4 <= length ? reader.u32(end) : 0;
  return { order: reader.order, entries: readable, next, whole: readable.length === count };
}

function entryAt(reader: Reader, start: number): Entry | undefined {
  const type = reader.u16(start + 2);
  const count = reader.u32(start + 4);
  const bytes = count * (TYPE_BYTES[type] ?? Number.NaN);
  const at = bytes <= 4 ? start + 8 : reader.u32(start + 8);
  if (!(at + bytes <= reader.bytes.length)) return undefined;
  return { tag: reader.u16(start), type, count, data: reader.bytes.subarray(at, at + bytes), at };
}

const POINTERS: ReadonlySet<number> = new Set([TAG.exif, TAG.gps, TAG.interoperability]);
const DEEPEST = 3;

interface Tree {
  readonly entries: readonly Entry[];
  readonly whole: boolean;
}

function treeOf(reader: Reader, directory: Directory, budget: { left: number }, depth: number): Tree {
  const entries: Entry[] = [];
  let whole = directory.whole;
  for (const entry of directory.entries) {
    budget.left -= ENTRY_BYTES + (entry.data.length > 4 ? entry.data.length : 0);
    // Directories that point at each other, or values that share bytes, would grow without end when written apart.
    if (budget.left < 0) return { entries, whole: false };
    const followed = follow(reader, entry, budget, depth);
    if (followed) entries.push(followed.entry);
    whole &&= followed?.whole ?? false;
  }
  return { entries, whole };
}

function follow(
  reader: Reader,
  entry: Entry,
  budget: { left: number },
  depth: number,
): { entry: Entry; whole: boolean } | undefined {
  if (!POINTERS.has(entry.tag)) return { entry, whole: true };
  if (entry.data.length !== 4 || entry.at === undefined || depth === DEEPEST) return undefined;
  const directory = directoryAt(reader, reader.u32(entry.at));
  if (!directory) return undefined;
  const { entries, whole } = treeOf(reader, directory, budget, depth + 1);
  return { entry: { ...entry, children: entries }, whole };
}
