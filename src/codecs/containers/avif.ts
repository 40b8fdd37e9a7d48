import { type Box, boxBytes, boxesOf, FULL_BYTES } from './boxes.js';
import { type Blobs, bufferOf, type Embedded, refused } from './container.js';
import {
  type Item,
  itemsOf,
  type Location,
  locationBytes,
  locationsOf,
  withDescription,
  withItem,
} from './items.js';

/**
 * Puts EXIF and XMP into a still AVIF as items that describe its primary one. Their bytes go into a second `mdat` at
 * the end, so only `meta` grows, and every place behind it moves by as much. Bytes they replace are blanked.
 */
export function embedInAvif(encoded: Uint8Array, blobs: Blobs): Embedded {
  const file = bufferOf(encoded);
  const index = indexOf(file);
  if (!index) return refused(encoded, blobs);
  const payloads = payloadsOf(blobs, index);
  const after = payloads.reduce(
    (known, { item, isNew }) => (isNew ? described(known, item) : known),
    index.meta,
  );
  const growth = metaBytes(after, placed(index, payloads, 0)).length - (index.metaEnd - index.metaStart);
  const kept = withoutReplaced(file, index, payloads);
  const bytes = Buffer.concat([
    kept.subarray(0, index.metaStart),
    metaBytes(after, placed(index, payloads, growth)),
    kept.subarray(index.metaEnd),
    boxBytes('mdat', ...payloads.map(({ data }) => data)),
  ]);
  return { bytes, lost: [] };
}

/** What is known of the file: its `meta` box, where that lies, its items and their places. */
interface Index {
  readonly fileBytes: number;
  readonly metaStart: number;
  readonly metaEnd: number;
  readonly meta: Meta;
  readonly items: readonly Item[];
  readonly locations: readonly Location[];
}

interface Meta {
  readonly full: Buffer;
  readonly boxes: readonly Box[];
  readonly primary: number;
}

interface Payload {
  readonly item: Item;
  readonly isNew: boolean;
  readonly data: Uint8Array;
}

const MDAT_HEADER_BYTES = 8;

/** Item numbers take 16 bits and places 32; below these there is room for what is added. */
const HIGHEST_ITEM = 0xfff0;
const LARGEST_FILE = 2 ** 31;

/** The index of a file whose every box is understood; an image sequence (`moov`) keeps places elsewhere and is not. */
function indexOf(file: Buffer): Index | undefined {
  const top = boxesOf(file);
  const body = top?.find(({ type }) => type === 'meta')?.body;
  const boxes = body && boxesOf(body.subarray(FULL_BYTES));
  if (!top || !boxes || top.some(({ type }) => type === 'moov')) return undefined;
  const find = (type: string) => boxes.find((box) => box.type === type)?.body;
  const items = itemsOf(find('iinf') ?? Buffer.alloc(0));
  const locations = locationsOf(find('iloc') ?? Buffer.alloc(0));
  const pitm = find('pitm');
  if (!items || !locations || pitm?.length !== 6 || pitm[0] !== 0 || (find('iref')?.[0] ?? 0) !== 0)
    return undefined;
  if (!hasRoom(file, items, locations)) return undefined;
  const metaEnd = body.byteOffset - file.byteOffset + body.length;
  const meta = { full: body.subarray(0, FULL_BYTES), boxes, primary: pitm.readUInt16BE(4) };
  return { fileBytes: file.length, metaStart: metaEnd - body.length - 8, metaEnd, meta, items, locations };
}

function hasRoom(file: Buffer, items: readonly Item[], locations: readonly Location[]): boolean {
  const isInside = locations.every(({ extents }) =>
    extents.every(({ at, length }) => at + length <= file.length),
  );
  return isInside && file.length < LARGEST_FILE && items.every(({ id }) => id < HIGHEST_ITEM);
}

function payloadsOf({ exif, xmp }: Blobs, { items }: Index): Payload[] {
  const highest = Math.max(0, ...items.map(({ id }) => id));
  const payload = (wanted: Item, data: Uint8Array): Payload => {
    const known = items.find(({ type, media }) => type === wanted.type && media === wanted.media);
    return { item: known ?? wanted, isNew: !known, data };
  };
  // An Exif item opens with the distance to its TIFF header, counted from behind that number: none.
  const exifData = exif && Buffer.concat([Buffer.alloc(4), exif]);
  return [
    ...(exifData ? [payload({ id: highest + 1, type: 'Exif', media: '' }, exifData)] : []),
    ...(xmp ? [payload({ id: highest + 2, type: 'mime', media: 'application/rdf+xml' }, xmp)] : []),
  ];
}

function described(meta: Meta, item: Item): Meta {
  const hasReferences = meta.boxes.some(({ type }) => type === 'iref');
  const boxes = hasReferences
    ? meta.boxes
    : [...meta.boxes, { type: 'iref', body: Buffer.alloc(FULL_BYTES) }];
  return {
    ...meta,
    boxes: boxes.map(({ type, body }) => {
      if (type === 'iinf') return { type, body: withItem(body, item) };
      return { type, body: type === 'iref' ? withDescription(body, item.id, meta.primary) : body };
    }),
  };
}

function placed(
  { locations, metaEnd, fileBytes }: Index,
  payloads: readonly Payload[],
  growth: number,
): Location[] {
  let at = fileBytes + growth + MDAT_HEADER_BYTES;
  const added = payloads.map(({ item, data }) => {
    const extents = [{ at, length: data.length }];
    at += data.length;
    return { id: item.id, extents };
  });
  const replaced = new Set(added.map(({ id }) => id));
  const moved = locations
    .filter(({ id }) => !replaced.has(id))
    .map(({ id, extents }) => ({
      id,
      extents: extents.map(({ at, length }) => ({ at: at < metaEnd ? at : at + growth, length })),
    }));
  return [...moved, ...added];
}

function metaBytes({ full, boxes }: Meta, locations: readonly Location[]): Buffer {
  const parts = boxes.map(({ type, body }) =>
    boxBytes(type, type === 'iloc' ? locationBytes(locations) : body),
  );
  return boxBytes('meta', full, ...parts);
}

function withoutReplaced(file: Buffer, { locations }: Index, payloads: readonly Payload[]): Buffer {
  const replaced = new Set(payloads.filter(({ isNew }) => !isNew).map(({ item }) => item.id));
  if (replaced.size === 0) return file;
  const copy = Buffer.from(file);
  for (const { id, extents } of locations) {
    if (replaced.has(id))
      for (const { at, length } of extents) copy.fill(0, at, Math.min(at + length, copy.length));
  }
  return copy;
}
