import { crc32 } from 'node:zlib';
import { bufferOf } from './containers/container.js';

/** After the signature of 8 bytes and the header chunk of 25, which comes first in every PNG. */
const AFTER_HEADER = 33;
const CHUNK_BYTES = 21;
const METRES_AN_INCH = 0.0254;

/** A PNG just encoded with its pHYs chunk (PNG, 11.3.4.3) saying so many pixels an inch, to the nearest pixel a metre. */
export function writePngDensity(encoded: Uint8Array, density: number): Uint8Array {
  const file = bufferOf(encoded);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  chunk.writeUInt32BE(9, 0);
  chunk.write('pHYs', 4, 'latin1');
  chunk.writeUInt32BE(Math.round(density / METRES_AN_INCH), 8);
  chunk.writeUInt32BE(Math.round(density / METRES_AN_INCH), 12);
  chunk[16] = 1;
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17);
  const old = chunkAt(file);
  const [from, to] = old === undefined ? [AFTER_HEADER, AFTER_HEADER] : [old, old + CHUNK_BYTES];
  return Buffer.concat([file.subarray(0, from), chunk, file.subarray(to)]);
}

/** Where the file's own pHYs chunk starts; it has to come before the pixels. */
function chunkAt(file: Buffer): number | undefined {
  for (let at = AFTER_HEADER; at + 12 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'pHYs') return at;
    if (type === 'IDAT') return undefined;
  }
  return undefined;
}
