import { type Blobs, bufferOf, type Embedded, refused } from './container.js';

const APPLICATION = Buffer.from([0x21, 0xff]);
const XMP_HEAD = Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1');
/** Bytes that bring a reader taking the packet for sub-blocks, wherever it lands in them, to the terminator. */
const XMP_TAIL = Buffer.from([1, ...Array.from({ length: 256 }, (_, index) => 255 - index), 0]);

/** Puts XMP into a GIF as an application extension before the first frame; a GIF has no place for EXIF. */
export function embedInGif(encoded: Uint8Array, blobs: Blobs): Embedded {
  const file = bufferOf(encoded);
  const extensions = blobs.xmp ? extensionsOf(file) : undefined;
  if (!blobs.xmp || !extensions) return refused(encoded, blobs);
  const kept = extensions.list.filter((part) => !part.subarray(0, XMP_HEAD.length).equals(XMP_HEAD));
  const bytes = Buffer.concat([
    file.subarray(0, extensions.start),
    // The loop count has to stay the first of them: some readers look no further.
    ...kept,
    XMP_HEAD,
    blobs.xmp,
    XMP_TAIL,
    file.subarray(extensions.end),
  ]);
  return { bytes, lost: blobs.exif ? ['EXIF'] : [] };
}

interface Extensions {
  readonly start: number;
  readonly end: number;
  readonly list: readonly Buffer[];
}

/** The application extensions that follow the global colour table; GIF87a knows none and is refused. */
function extensionsOf(file: Buffer): Extensions | undefined {
  if (file.length < 14 || file.toString('latin1', 0, 6) !== 'GIF89a') return undefined;
  const packed = file.readUInt8(10);
  const start = 13 + ((packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1));
  const list: Buffer[] = [];
  let end = start;
  while (file.subarray(end, end + 2).equals(APPLICATION)) {
    const next = afterSubBlocks(file, end + 2);
    if (next === undefined) return undefined;
    list.push(file.subarray(end, next));
    end = next;
  }
  return end < file.length ? { start, end, list } : undefined;
}

function afterSubBlocks(file: Buffer, start: number): number | undefined {
  let at = start;
  for (let size = file[at]; size !== undefined; size = file[at]) {
    at += 1 + size;
    if (size === 0) return at;
  }
  return undefined;
}
