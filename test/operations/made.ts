import sharp from 'sharp';
import { tempDir } from '../support/fixtures.js';
import { drawn } from './naive.js';

/** A PNG written for one test: `pixel` gives RGB at each place. */
export async function made(
  name: string,
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
): Promise<string> {
  const { data } = drawn({ channels: 3, most: 255 }, width, height, pixel);
  const path = `${await tempDir()}/${name}.png`;
  const raw = { width, height, channels: 3 } as const;
  await sharp(Buffer.from(Array.from(data)), { raw })
    .png({ compressionLevel: 1 })
    .toFile(path);
  return path;
}

/** Waves without a sharp edge, so that two ways to resample may agree to a level or two. */
export function waves(x: number, y: number): [number, number, number] {
  return [
    Math.round(128 + 100 * Math.sin(x / 9)),
    Math.round(128 + 100 * Math.cos(y / 7)),
    Math.round(128 + 60 * Math.sin((x + y) / 11)),
  ];
}

/** A single colour. */
export function plain(width: number, height: number): Promise<string> {
  return made(`plain-${width}x${height}`, width, height, () => [10, 120, 230]);
}
