import { type ByteOrder, ENTRY_BYTES, type Entry, readDirectory, TAG, TYPE_BYTES, tiffOf } from './exif.js';

/** A directory and the values it holds, written to lie at offset `at` (even) of the bytes it is appended to. */
export function directoryBytes(entries: readonly Entry[], place: Place): Uint8Array {
  const sorted = entries.toSorted((one, other) => one.tag - other.tag);
  const write = writerOf(place.order);
  const head = Buffer.alloc(2 + ENTRY_BYTES * sorted.length + 4);
  const parts: Uint8Array[] = [head];
  let end = place.at + head.length;
  write.u16(head, sorted.length, 0);
  for (const [index, entry] of sorted.entries()) {
    const start = 2 + ENTRY_BYTES * index;
    write.u16(head, entry.tag, start);
    write.u16(head, entry.type, start + 2);
    write.u32(head, entry.count, start + 4);
    if (isInline(entry)) head.set(entry.data, start + 8);
    else write.u32(head, entry.at ?? end, start + 8);
    const outside = evened(outsideBytes(entry, place.order, end));
    parts.push(outside);
    end += outside.length;
  }
  write.u32(head, place.next, head.length - 4);
  return Buffer.concat(parts);
}

/** Where a directory is to lie, in which byte order, and the offset of the one after it (0 for none). */
export interface Place {
  readonly order: ByteOrder;
  readonly at: number;
  readonly next: number;
}

/** A whole EXIF structure, least significant byte first, holding `entries` and nothing else. */
export function exifBytes(entries: readonly Entry[]): Uint8Array {
  const header = Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  return Buffer.concat([header, directoryBytes(entries, { order: 'II', at: header.length, next: 0 })]);
}

/** An ASCII entry whose text is `text` to the byte, whatever its encoding, with the NUL the type asks for. */
export function textEntry(tag: number, text: Uint8Array): Entry {
  const data = Buffer.concat([text, Buffer.alloc(1)]);
  return { tag, type: 2, count: data.length, data };
}

/** A density in pixels per inch as entries for {@link exifBytes}, kept to a ten-thousandth; none for no such number. */
export function densityEntries(density: number | undefined): Entry[] {
  if (density === undefined || !(density > 0 && density < 100_000)) return [];
  const scale = Number.isInteger(density) ? 1 : 10_000;
  const data = Buffer.alloc(8);
  data.writeUInt32LE(Math.round(density * scale), 0);
  data.writeUInt32LE(scale, 4);
  const inch = Buffer.from([2, 0]);
  return [
    { tag: TAG.xResolution, type: 5, count: 1, data },
    { tag: TAG.yResolution, type: 5, count: 1, data },
    { tag: TAG.resolutionUnit, type: 3, count: 1, data: inch },
  ];
}

/** The same entries without a place, their values turned from one byte order to another. */
export function movable(entries: readonly Entry[], from: ByteOrder, to: ByteOrder): Entry[] {
  return entries.map(({ at: _, ...entry }) => ({
    ...entry,
    data: from === to ? entry.data : swapped(entry),
    ...(entry.children && { children: movable(entry.children, from, to) }),
  }));
}

/** A copy of an EXIF blob whose orientation tag, where it has one, says 1; not another byte differs. */
export function upright(exif: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(exif);
  const directory = readDirectory(tiffOf(copy));
  for (const entry of directory?.entries ?? []) {
    // `data` is a window on the copy, so filling it writes the tag.
    if (entry.tag === TAG.orientation) entry.data.set(one(entry, directory?.order));
  }
  return copy;
}

function isInline(entry: Entry): boolean {
  return !entry.children && entry.data.length <= 4;
}

/** What an entry puts after its directory: the directory it points to, or a value that has no place yet. */
function outsideBytes(entry: Entry, order: ByteOrder, at: number): Uint8Array {
  if (entry.children) return directoryBytes(entry.children, { order, at, next: 0 });
  return isInline(entry) || entry.at !== undefined ? new Uint8Array() : entry.data;
}

/** Bytes with the one more that keeps the next offset even, as TIFF asks. */
function evened(bytes: Uint8Array): Uint8Array {
  return bytes.length % 2 === 1 ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes;
}

function swapped({ type, data }: Entry): Uint8Array {
  const copy = Buffer.from(data);
  const isRational = type === 5 || type === 10;
  const unit = isRational ? 4 : TYPE_BYTES[type];
  if (unit === 2) return copy.swap16();
  if (unit === 4) return copy.swap32();
  return unit === 8 ? copy.swap64() : copy;
}

function one(entry: Entry, order: ByteOrder | undefined): Uint8Array {
  const bytes = Buffer.alloc(entry.data.length);
  const unit = TYPE_BYTES[entry.type] ?? 1;
  if (bytes.length > 0) bytes[order === 'II' ? 0 : unit - 1] = 1;
  return bytes;
}

function writerOf(order: ByteOrder) {
  const little = order === 'II';
  return {
    u16: (into: Buffer, value: number, at: number) =>
      little ? into.writeUInt16LE(value, at) : into.writeUInt16BE(value, at),
    u32: (into: Buffer, value: number, at: number) =>
      little ? into.writeUInt32LE(value, at) : into.writeUInt32BE(value, at),
  };
}
