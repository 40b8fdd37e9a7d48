import { EXIF_MARK, XMP_MARK } from '../jpeg-blobs.js';
import { MARKER, segmentAt } from '../jpeg-markers.js';
import { type Blobs, bufferOf, type Embedded, refused } from './container.js';

const EXIF = Buffer.from(EXIF_MARK, 'latin1');
const XMP = Buffer.from(XMP_MARK, 'latin1');
const XMP_MORE = Buffer.from('http://ns.adobe.com/xmp/extension/\0', 'latin1');
/** A segment's length field is 16 bits wide and counts itself. */
const LARGEST = 0xffff - 2;

/** Puts EXIF and XMP into a JPEG as APP1 segments, right after the JFIF header where there is one. */
export function embedInJpeg(encoded: Uint8Array, blobs: Blobs): Embedded {
  const file = bufferOf(encoded);
  const parts = partsOf(file);
  if (!parts) return refused(encoded, blobs);
  const fits = fitting(blobs);
  const kept = parts.head.filter((part) => !isReplaced(part, fits));
  const first = kept[0]?.marker === MARKER.APP0 ? 1 : 0;
  const bytes = kept.map((part) => part.bytes);
  const { exif, xmp } = fits;
  const added = [...(exif ? [app1(EXIF, exif)] : []), ...(xmp ? [app1(XMP, xmp)] : [])];
  return {
    bytes: Buffer.concat([
      file.subarray(0, 2),
      ...bytes.slice(0, first),
      ...added,
      ...bytes.slice(first),
      parts.rest,
    ]),
    lost: [...(blobs.exif && !exif ? ['EXIF'] : []), ...(blobs.xmp && !xmp ? ['XMP'] : [])],
  };
}

/** The blobs that one segment each can hold. */
function fitting({ exif, xmp }: Blobs): Blobs {
  return {
    ...(exif && EXIF.length + exif.length <= LARGEST && { exif }),
    ...(xmp && XMP.length + xmp.length <= LARGEST && { xmp }),
  };
}

interface Part {
  readonly marker: number;
  readonly bytes: Buffer;
  readonly payload: Buffer;
}

/** The segments before the first scan, and everything from that scan on; undefined when they do not follow on. */
function partsOf(file: Buffer): { head: Part[]; rest: Buffer } | undefined {
  if (file[0] !== 0xff || file[1] !== MARKER.SOI) return undefined;
  const head: Part[] = [];
  let segment = segmentAt(file, 2);
  while (segment && segment.marker !== MARKER.SOS) {
    const { marker, start, body, end } = segment;
    head.push({ marker, bytes: file.subarray(start, end), payload: file.subarray(body, end) });
    segment = segmentAt(file, end);
  }
  return segment?.marker === MARKER.SOS ? { head, rest: file.subarray(segment.start) } : undefined;
}

function isReplaced({ marker, payload }: Part, { exif, xmp }: Blobs): boolean {
  if (marker !== MARKER.APP1) return false;
  const starts = (mark: Buffer) => payload.subarray(0, mark.length).equals(mark);
  return (exif !== undefined && starts(EXIF)) || (xmp !== undefined && (starts(XMP) || starts(XMP_MORE)));
}

function app1(mark: Buffer, payload: Uint8Array): Buffer {
  const head = Buffer.from([0xff, MARKER.APP1, 0, 0]);
  head.writeUInt16BE(2 + mark.length + payload.length, 2);
  return Buffer.concat([head, mark, payload]);
}
