import { endsInsideBox } from './containers/boxes.js';
import { gifIsWhole } from './gif-blocks.js';
import type { PictureFormat } from './magic.js';
import { stripsOf } from './tiff-parts.js';

/** Whether a picture that did not decode lacks its end, as far as its container says; false when it says nothing. */
export function isCutShort(bytes: Uint8Array, format: PictureFormat): boolean {
  return ENDS[format]?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) ?? false;
}

/** Both end marks are searched for near the end only: a thumbnail inside has one of its own, and noise may follow. */
const ENDS: Partial<Record<PictureFormat, (file: Buffer) => boolean>> = {
  jpeg: (file) => !file.subarray(-64).includes(Buffer.from([0xff, 0xd9])),
  png: (file) => !file.subarray(-64).includes('IEND'),
  gif: (file) => !gifIsWhole(file),
  tiff: (file) => hasCutStrip(file),
  avif: endsInsideBox,
  webp: (file) => file.length < 12 || file.readUInt32LE(4) + 8 > file.length,
};

/** A strip that begins inside the file and ends outside. */
function hasCutStrip(file: Buffer): boolean {
  return stripsOf(file).some(({ at, end }) => at < file.length && end > file.length);
}
