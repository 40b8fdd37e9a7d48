import { bufferOf } from './containers/container.js';
import { readDirectory } from './exif.js';
import { directoryBytes } from './exif-write.js';
import { iimOf } from './iptc.js';
import { MARKER, segmentAt } from './jpeg-markers.js';
import type { MetadataFormat } from './rights-write.js';

/** The bytes of a picture just encoded with an IPTC block in them, as it was; undefined where the format has no place for one. */
export function writeIptc(
  encoded: Uint8Array,
  format: MetadataFormat,
  iptc: Uint8Array,
): Uint8Array | undefined {
  if (format === 'jpeg') return inJpeg(encoded, bufferOf(iptc));
  return format === 'tiff' ? inTiff(bufferOf(encoded), iimOf(bufferOf(iptc))) : undefined;
}

const PHOTOSHOP = Buffer.from('Photoshop 3.0\0', 'latin1');
const APP13 = 0xed;
/** A segment's length field is 16 bits wide and counts itself. */
const LARGEST = 0xffff - 2;

/** APP13 goes behind the other application segments, where readers look for it. */
function inJpeg(encoded: Uint8Array, iptc: Buffer): Uint8Array | undefined {
  const block = iptc.subarray(0, PHOTOSHOP.length).equals(PHOTOSHOP) ? iptc : resource(iptc);
  if (block.length > LARGEST) return undefined;
  let at = 2;
  for (let segment = segmentAt(encoded, at); isApplication(segment?.marker); segment = segmentAt(encoded, at))
    at = segment?.end ?? at;
  const head = Buffer.from([0xff, APP13, 0, 0]);
  head.writeUInt16BE(2 + block.length, 2);
  return Buffer.concat([encoded.subarray(0, at), head, block, encoded.subarray(at)]);
}

function isApplication(marker: number | undefined): boolean {
  return marker !== undefined && marker >= MARKER.APP0 && marker < APP13;
}

/** Bare data sets as the Photoshop resource that JPEG holds them in: signature, number, no name, length, even data. */
function resource(iim: Buffer): Buffer {
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(iim.length, 8);
  return Buffer.concat([PHOTOSHOP, head, iim, Buffer.alloc(iim.length % 2)]);
}

const IPTC_TAG = 0x83bb;
const UNDEFINED = 7;

/** A new first directory at the end of the file, as the old one with the block added. */
function inTiff(file: Buffer, iim: Buffer): Uint8Array | undefined {
  const page = readDirectory(file);
  if (!page?.whole || iim.length === 0) return undefined;
  const even = Buffer.concat([file, Buffer.alloc(file.length % 2)]);
  if (page.order === 'II') even.writeUInt32LE(even.length, 4);
  else even.writeUInt32BE(even.length, 4);
  const entries = [
    ...page.entries.filter(({ tag }) => tag !== IPTC_TAG),
    { tag: IPTC_TAG, type: UNDEFINED, count: iim.length, data: iim },
  ];
  return Buffer.concat([
    even,
    directoryBytes(entries, { order: page.order, at: even.length, next: page.next }),
  ]);
}
