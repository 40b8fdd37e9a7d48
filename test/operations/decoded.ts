import sharp from 'sharp';
import type { Picture } from './naive.js';

/** What sharp alone makes of a file: one page, as stored, in the file's own channels and depth. */
export async function decoded(input: string | Uint8Array, page = 0): Promise<Picture> {
  const { space, depth, hasAlpha, channels } = await sharp(input, { page }).metadata();
  const deep = depth === 'ushort';
  const gray = channels < 3 || space === 'b-w' || space === 'grey16';
  const { data, info } = await sharp(input, { page })
    .toColourspace(gray && !hasAlpha ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb')
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = deep ? new Uint16Array(Uint8Array.from(data).buffer) : data;
  return {
    width: info.width,
    height: info.height,
    channels: info.channels,
    most: deep ? 65_535 : 255,
    data: samples,
  };
}
