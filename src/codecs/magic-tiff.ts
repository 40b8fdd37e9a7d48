/** A camera raw format built like a TIFF; `raw` is one whose maker is not told apart. */
export type RawType = 'cr2' | 'nef' | 'arw' | 'dng' | 'raw';

/**
 * `tiff`, or the camera raw format that wears a TIFF's magic, or undefined when the bytes are neither.
 *
 * A raw file must not pass for a TIFF: a decoder would take the small preview of its first directory for the picture.
 */
export function sniffTiff(head: Uint8Array): 'tiff' | RawType | undefined {
  const little = littleEndian(head);
  if (little === undefined) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint16(2, little);
  if (version === BIG_TIFF) return 'tiff';
  if (version !== CLASSIC_TIFF) return undefined;
  if (head[8] === 0x43 && head[9] === 0x52 && head.length > 9) return 'cr2';
  return rawIn(directory(view, little), head) ?? 'tiff';
}

const CLASSIC_TIFF = 42;
const BIG_TIFF = 43;

/** Tags of TIFF 6.0, TIFF/EP and DNG 1.4 that tell a raw file's first directory from a picture's. */
const TAG = { subfileType: 254, make: 271, subDirectories: 330, dngVersion: 50706 } as const;

function littleEndian(head: Uint8Array): boolean | undefined {
  if (head.length < 8) return undefined;
  if (head[0] === 0x49 && head[1] === 0x49) return true;
  return head[0] === 0x4d && head[1] === 0x4d ? false : undefined;
}

/** The first directory's entries: tag to its 32-bit value or offset; only those inside the given bytes. */
function directory(view: DataView, little: boolean): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  const start = view.getUint32(4, little);
  if (start + 2 > view.byteLength) return values;
  const count = view.getUint16(start, little);
  for (let i = 0, at = start + 2; i < count && at + 12 <= view.byteLength; i++, at += 12) {
    values.set(view.getUint16(at, little), view.getUint32(at + 8, little));
  }
  return values;
}

/** Raw: it says DNG, or its first directory is a reduced preview with the real picture in a sub-directory. */
function rawIn(tags: ReadonlyMap<number, number>, head: Uint8Array): RawType | undefined {
  if (tags.has(TAG.dngVersion)) return 'dng';
  const isPreview = tags.get(TAG.subfileType) === 1;
  if (!isPreview || !tags.has(TAG.subDirectories)) return undefined;
  const at = tags.get(TAG.make) ?? head.length;
  const make = String.fromCharCode(...head.subarray(at, at + 5));
  if (make === 'NIKON') return 'nef';
  return make.startsWith('SONY') ? 'arw' : 'raw';
}
