import { crc32 } from 'node:zlib';
import { type Blobs, bufferOf, type Embedded, refused } from './container.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** The keyword, no compression, no language, no translated keyword. */
const XMP_HEAD = Buffer.from('XML:com.adobe.xmp\0\0\0\0\0', 'latin1');
const XMP_KEYWORD = Buffer.from('XML:com.adobe.xmp\0', 'latin1');
/** Length, type and checksum. */
const FRAME_BYTES = 12;

/** Puts EXIF (eXIf) and XMP (iTXt) into a PNG before its pixel data, where eXIf has to be. */
export function embedInPng(encoded: Uint8Array, blobs: Blobs): Embedded {
  const file = bufferOf(encoded);
  const chunks = chunksOf(file);
  const kept = chunks.filter((part) => !isReplaced(part, blobs));
  const pixels = kept.findIndex((part) => typeOf(part) === 'IDAT');
  if (pixels < 0) return refused(encoded, blobs);
  const added = [
    ...(blobs.exif ? [chunk('eXIf', blobs.exif)] : []),
    ...(blobs.xmp ? [chunk('iTXt', Buffer.concat([XMP_HEAD, blobs.xmp]))] : []),
  ];
  return {
    bytes: Buffer.concat([SIGNATURE, ...kept.slice(0, pixels), ...added, ...kept.slice(pixels)]),
    lost: [],
  };
}

/** Every chunk, header and checksum included; none when the bytes are not a PNG that ends well. */
function chunksOf(file: Buffer): Buffer[] {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return [];
  const chunks: Buffer[] = [];
  let at = SIGNATURE.length;
  while (at + FRAME_BYTES <= file.length) {
    const end = at + FRAME_BYTES + file.readUInt32BE(at);
    chunks.push(file.subarray(at, end));
    at = end;
  }
  return at === file.length ? chunks : [];
}

function typeOf(part: Buffer): string {
  return part.toString('latin1', 4, 8);
}

function isReplaced(part: Buffer, blobs: Blobs): boolean {
  if (typeOf(part) === 'eXIf') return blobs.exif !== undefined;
  const isXmp = typeOf(part) === 'iTXt' && part.subarray(8, 8 + XMP_KEYWORD.length).equals(XMP_KEYWORD);
  return isXmp && blobs.xmp !== undefined;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const part = Buffer.alloc(FRAME_BYTES + data.length);
  part.writeUInt32BE(data.length, 0);
  part.write(type, 4, 'latin1');
  part.set(data, 8);
  part.writeUInt32BE(crc32(part.subarray(4, 8 + data.length)), 8 + data.length);
  return part;
}
