import { blankSamples, type Pixels } from './pixels.js';

/**
 * The weighted mean of R, G and B, weights in parts of 65536, rounded to nearest, in one channel or in three equal
 * ones; alpha stays behind them.
 */
export function weighted(
  source: Pixels,
  [red, green, blue]: readonly [number, number, number],
  times: 1 | 3,
): Pixels {
  return grayed(source, times, (r, g, b) => Math.floor((r * red + g * green + b * blue + 32_768) / 65_536));
}

/**
 * CIE Y of linear sRGB (IEC 61966-2-1), encoded again and rounded to nearest, in one channel or in three equal ones;
 * alpha stays behind them.
 */
export function luminance(source: Pixels, times: 1 | 3): Pixels {
  const most = source.data instanceof Uint16Array ? 65_535 : 255;
  const light = Float64Array.from({ length: most + 1 }, (_, value) => decode(value / most));
  return grayed(source, times, (r, g, b) => {
    const y = 0.2126 * (light[r] ?? 0) + 0.7152 * (light[g] ?? 0) + 0.0722 * (light[b] ?? 0);
    return Math.round(most * encode(y));
  });
}

function decode(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encode(light: number): number {
  return light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
}

function grayed(source: Pixels, times: 1 | 3, gray: (r: number, g: number, b: number) => number): Pixels {
  const { data: from, width, height } = source;
  const hasAlpha = source.channels === 4;
  const channels = times === 1 ? (hasAlpha ? 2 : 1) : source.channels;
  const data = blankSamples(from, width * height * channels);
  for (let at = 0, to = 0; at < from.length; at += source.channels, to += channels) {
    data.fill(gray(from[at] ?? 0, from[at + 1] ?? 0, from[at + 2] ?? 0), to, to + times);
    if (hasAlpha) data[to + times] = from[at + 3] ?? 0;
  }
  return { width, height, data, channels };
}
