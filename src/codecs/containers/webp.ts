import { type Blobs, bufferOf, type Embedded, refused } from './container.js';

const FLAG = { alpha: 0x10, exif: 0x08, xmp: 0x04 } as const;

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Puts EXIF and XMP chunks at the end of a WebP, after giving a simple file the extended header they need. */
export function embedInWebp(encoded: Uint8Array, blobs: Blobs): Embedded {
  const chunks = chunksOf(bufferOf(encoded));
  const header = chunks && extendedHeader(chunks);
  if (!chunks || !header) return refused(encoded, blobs);
  header[0] = (header[0] ?? 0) | (blobs.exif ? FLAG.exif : 0) | (blobs.xmp ? FLAG.xmp : 0);
  const kept = chunks.filter(({ type }) => type !== 'VP8X' && !isReplaced(type, blobs));
  const { exif, xmp } = blobs;
  const added = [
    ...(exif ? [{ type: 'EXIF', data: exif }] : []),
    ...(xmp ? [{ type: 'XMP ', data: xmp }] : []),
  ];
  return { bytes: riff([{ type: 'VP8X', data: header }, ...kept, ...added]), lost: [] };
}

function chunksOf(file: Buffer): Chunk[] | undefined {
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WEBP'
  ) {
    return undefined;
  }
  const chunks: Chunk[] = [];
  let at = 12;
  while (at + 8 <= file.length) {
    const end = at + 8 + file.readUInt32LE(at + 4);
    if (end > file.length) return undefined;
    chunks.push({ type: file.toString('latin1', at, at + 4), data: file.subarray(at + 8, end) });
    at = end + (end % 2);
  }
  return chunks;
}

/** A copy of the file's VP8X header, or one made from the size and alpha its only chunk declares. */
function extendedHeader(chunks: readonly Chunk[]): Buffer | undefined {
  const first = chunks[0];
  if (!first) return undefined;
  if (first.type === 'VP8X') return first.data.length === 10 ? Buffer.from(first.data) : undefined;
  const shape =
    first.type === 'VP8 '
      ? lossyShape(first.data)
      : first.type === 'VP8L'
        ? losslessShape(first.data)
        : undefined;
  if (!shape || shape.width === 0 || shape.height === 0) return undefined;
  const header = Buffer.alloc(10);
  header[0] = shape.hasAlpha ? FLAG.alpha : 0;
  header.writeUIntLE(shape.width - 1, 4, 3);
  header.writeUIntLE(shape.height - 1, 7, 3);
  return header;
}

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
}

/** RFC 6386 section 9.1: a frame tag, a start code, then two sizes of 14 bits under 2 bits of scale. */
function lossyShape(data: Uint8Array): Shape | undefined {
  if (data.length < 10) return undefined;
  const view = bufferOf(data);
  return { width: view.readUInt16LE(6) & 0x3fff, height: view.readUInt16LE(8) & 0x3fff, hasAlpha: false };
}

/** RFC 9649 section 3.4: a signature, two sizes of 14 bits less one, then whether alpha is used. */
function losslessShape(data: Uint8Array): Shape | undefined {
  if (data.length < 5) return undefined;
  const bits = bufferOf(data).readUInt32LE(1);
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    hasAlpha: ((bits >>> 28) & 1) === 1,
  };
}

function isReplaced(type: string, blobs: Blobs): boolean {
  return (type === 'EXIF' && blobs.exif !== undefined) || (type === 'XMP ' && blobs.xmp !== undefined);
}

function riff(chunks: readonly Chunk[]): Uint8Array {
  const body = Buffer.concat(chunks.flatMap(chunkParts));
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(4 + body.length, 4);
  return Buffer.concat([head, body]);
}

/** A chunk is padded to an even length that its size field does not count. */
function chunkParts({ type, data }: Chunk): Uint8Array[] {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return data.length % 2 === 1 ? [head, data, Buffer.alloc(1)] : [head, data];
}
