import type { Pixels } from './pixels.js';

/**
 * The weighted mean of R, G and B, weights in parts of 65536, rounded to nearest. RGB becomes one channel;
 * RGB with alpha keeps four, the first three equal.
 */
export function weighted(source: Pixels, weights: readonly [number, number, number]): Pixels {
  const keepsAlpha = source.channels === 4;
  const length = source.width * source.height * (keepsAlpha ? 4 : 1);
  const data = source.data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
  const target: Pixels = { ...source, data, channels: keepsAlpha ? 4 : 1 };
  const [red, green, blue] = weights;
  const from = source.data;
  for (let at = 0, to = 0; at < from.length; at += source.channels) {
    const sum = (from[at] ?? 0) * red + (from[at + 1] ?? 0) * green + (from[at + 2] ?? 0) * blue;
    const gray = Math.floor((sum + 32_768) / 65_536);
    data[to++] = gray;
    if (!keepsAlpha) continue;
    data[to++] = gray;
    data[to++] = gray;
    data[to++] = from[at + 3] ?? 0;
  }
  return target;
}
