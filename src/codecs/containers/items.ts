import { boxBytes, boxesOf, FULL_BYTES } from './boxes.js';

/** An item as the file's `iinf` box declares it. */
export interface Item {
  readonly id: number;
  readonly type: string;
  /** The media type of a `mime` item, otherwise empty. */
  readonly media: string;
}

/** The items an `iinf` box declares; undefined for a layout other than the one AVIF encoders write (version 0, `infe` 2). */
export function itemsOf(iinf: Buffer): Item[] | undefined {
  if (iinf.length < FULL_BYTES + 2 || iinf[0] !== 0) return undefined;
  const items = boxesOf(iinf.subarray(FULL_BYTES + 2))?.map(({ body }) => itemOf(body));
  if (items?.length !== iinf.readUInt16BE(FULL_BYTES)) return undefined;
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** The same `iinf` body with one more item. */
export function withItem(iinf: Buffer, item: Item): Buffer {
  const head = Buffer.from(iinf.subarray(0, FULL_BYTES + 2));
  head.writeUInt16BE(head.readUInt16BE(FULL_BYTES) + 1, FULL_BYTES);
  const full = Buffer.from([2, 0, 0, 1]); // flag 1: not a picture to show
  const media = item.media === '' ? '' : `${item.media}\0`;
  const entry = boxBytes('infe', full, shorts(item.id, 0), Buffer.from(`${item.type}\0${media}`, 'latin1'));
  return Buffer.concat([head, iinf.subarray(FULL_BYTES + 2), entry]);
}

/** The `iref` body (a new one when there is none) saying that item `from` describes item `to`. */
export function withDescription(iref: Buffer | undefined, from: number, to: number): Buffer {
  return Buffer.concat([iref ?? Buffer.alloc(FULL_BYTES), boxBytes('cdsc', shorts(from, 1, to))]);
}

/** Where an item's bytes lie in the file. */
export interface Location {
  readonly id: number;
  readonly extents: readonly { readonly at: number; readonly length: number }[];
}

/** The places an `iloc` box gives; undefined for a layout other than version 0 with 32-bit fields. */
export function locationsOf(iloc: Buffer): Location[] | undefined {
  if (iloc.length < 8 || iloc[0] !== 0 || iloc[4] !== 0x44) return undefined;
  const baseBytes = iloc.readUInt8(5) >> 4;
  if (baseBytes !== 0 && baseBytes !== 4) return undefined;
  const locations: Location[] = [];
  let at = 8;
  for (let left = iloc.readUInt16BE(6); left > 0; left -= 1) {
    const start = at + 4 + baseBytes + 2;
    if (start > iloc.length) return undefined;
    const base = baseBytes === 4 ? iloc.readUInt32BE(at + 4) : 0;
    const end = start + 8 * iloc.readUInt16BE(start - 2);
    if (end > iloc.length || iloc.readUInt16BE(at + 2) !== 0) return undefined;
    locations.push({ id: iloc.readUInt16BE(at), extents: extentsOf(iloc.subarray(start, end), base) });
    at = end;
  }
  return locations;
}

/** An `iloc` body giving these places, its length set by their number alone. */
export function locationBytes(locations: readonly Location[]): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 0x44, 0, 0, 0]);
  head.writeUInt16BE(locations.length, 6);
  const parts = locations.flatMap(({ id, extents }) => [
    shorts(id, 0, extents.length),
    ...extents.map(({ at, length }) => longs(at, length)),
  ]);
  return Buffer.concat([head, ...parts]);
}

function itemOf(infe: Buffer): Item | undefined {
  if (infe[0] !== 2 || infe.length < 13) return undefined;
  const type = infe.toString('latin1', 8, 12);
  const [, media = ''] = infe.toString('latin1', 12).split('\0');
  return { id: infe.readUInt16BE(4), type, media: type === 'mime' ? media : '' };
}

function extentsOf(bytes: Buffer, base: number): { at: number; length: number }[] {
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    at: base + bytes.readUInt32BE(8 * index),
    length: bytes.readUInt32BE(8 * index + 4),
  }));
}

function shorts(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
}

function longs(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}
