/** EXIF blobs and pictures carrying them, written here byte by byte so that no code under test made them. */
import sharp from 'sharp';

/** A tag with its type, count, and value bytes in the order of the blob it goes into. */
export type Tag = readonly [tag: number, type: number, count: number, data: Uint8Array];

export const text = (tag: number, value: string | Uint8Array): Tag => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const data = Buffer.concat([bytes, Buffer.alloc(1)]);
  return [tag, 2, data.length, data];
};

export const short = (order: 'II' | 'MM', tag: number, value: number): Tag => {
  const data = Buffer.alloc(2);
  if (order === 'II') data.writeUInt16LE(value);
  else data.writeUInt16BE(value);
  return [tag, 3, 1, data];
};

/** A TIFF structure: first directory, then the one it points to through `pointer`, then optionally a second one. */
export function tiff(
  order: 'II' | 'MM',
  tags: readonly Tag[],
  more: { pointers?: ReadonlyMap<number, readonly Tag[]>; second?: readonly Tag[] } = {},
): Buffer {
  const u16 = (value: number) => number(order, 2, value);
  const u32 = (value: number) => number(order, 4, value);
  const directory = (
    list: readonly Tag[],
    at: number,
    pointers: ReadonlyMap<number, readonly Tag[]>,
    hasNext: boolean,
  ): Buffer => {
    const count = list.length + pointers.size;
    const head: Buffer[] = [u16(count)];
    const tail: Buffer[] = [];
    let end = at + 2 + 12 * count + 4;
    const outside = (bytes: Buffer) => {
      const start = end;
      const even = bytes.length % 2 === 1 ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes;
      tail.push(even);
      end += even.length;
      return u32(start);
    };
    const rows = [...list, ...[...pointers.keys()].map((tag): Tag => [tag, 4, 1, new Uint8Array(4)])];
    for (const [tag, type, n, data] of rows.toSorted((one, other) => one[0] - other[0])) {
      const child = pointers.get(tag);
      const value = child
        ? outside(directory(child, end, new Map(), false))
        : data.length > 4
          ? outside(Buffer.from(data))
          : Buffer.concat([data, Buffer.alloc(4 - data.length)]);
      head.push(u16(tag), u16(type), u32(n), value);
    }
    return Buffer.concat([...head, u32(hasNext ? end : 0), ...tail]);
  };
  const first = directory(tags, 8, more.pointers ?? new Map(), more.second !== undefined);
  const second = more.second ? directory(more.second, 8 + first.length, new Map(), false) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(order), u16(42), u32(8), first, second]);
}

export const prefixed = (blob: Uint8Array): Buffer => Buffer.concat([Buffer.from('Exif\0\0'), blob]);

/** A GPS directory with a latitude, under the pointer tag that EXIF gives it. */
export const GPS: ReadonlyMap<number, readonly Tag[]> = new Map([
  [0x8825, [[1, 2, 2, Buffer.from('N\0')] as Tag]],
]);

/** A blob with an orientation, a maker, a Latin-1 artist, a UTF-8 copyright and GPS. */
export const source = (order: 'II' | 'MM', orientation = 6) =>
  tiff(
    order,
    [
      short(order, 0x0112, orientation),
      text(0x010f, 'Maker'),
      text(0x013b, Buffer.from('Zoë', 'latin1')),
      text(0x8298, '© 2024 Zoë'),
    ],
    { pointers: GPS },
  );

/** A JPEG that carries `exif`, put in by hand. */
export async function jpegWith(exif: Uint8Array): Promise<Buffer> {
  const plain = await picture(3).jpeg().toBuffer();
  const payload = prefixed(exif);
  return Buffer.concat([
    plain.subarray(0, 2),
    Buffer.from([0xff, 0xe1]),
    number('MM', 2, payload.length + 2),
    payload,
    plain.subarray(2),
  ]);
}

/** A small picture in which no two columns or rows are alike. */
export function picture(channels: 1 | 3 | 4, width = 37, height = 23) {
  const data = new Uint8Array(width * height * channels).map((_, index) => (index * 7 + (index >> 5)) % 251);
  return sharp(data, { raw: { width, height, channels } });
}

function number(order: 'II' | 'MM', bytes: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (order === 'II') buffer.writeUIntLE(value, 0, bytes);
  else buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
