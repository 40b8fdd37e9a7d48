/** Slow and obvious picture arithmetic to hold the tool against: plain loops over plain numbers. */

/** A decoded picture: rows top to bottom, channels interleaved, samples 0 to `most`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly most: number;
  readonly data: ArrayLike<number>;
}

/** The samples of a pixel; the nearest pixel of the border for places outside. */
export function at({ data, width, height, channels }: Picture, x: number, y: number): number[] {
  const column = Math.min(width - 1, Math.max(0, x));
  const row = Math.min(height - 1, Math.max(0, y));
  const start = (row * width + column) * channels;
  return Array.from({ length: channels }, (_, i) => data[start + i] ?? 0);
}

/** A picture whose pixels come from a function of their place. */
export function drawn(
  like: Pick<Picture, 'channels' | 'most'>,
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly number[],
): Picture {
  const data: number[] = [];
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) data.push(...pixel(x, y));
  const { channels, most } = like;
  return { width, height, channels, most, data };
}

/** Turned clockwise by so many quarters. */
export function quarters(source: Picture, turns: number): Picture {
  if (turns === 0) return source;
  const { width, height } = source;
  const turned = drawn(source, height, width, (x, y) => at(source, y, height - 1 - x));
  return quarters(turned, turns - 1);
}

/** Mirrored top to bottom. */
export function flipped(source: Picture): Picture {
  const { width, height } = source;
  return drawn(source, width, height, (x, y) => at(source, x, height - 1 - y));
}

/** Mirrored left to right. */
export function flopped(source: Picture): Picture {
  const { width, height } = source;
  return drawn(source, width, height, (x, y) => at(source, width - 1 - x, y));
}

/** As EXIF's orientation 1 to 8 says it is to be shown. */
export function upright(stored: Picture, orientation: number): Picture {
  const mirrored = [2, 4, 5, 7].includes(orientation) ? flopped(stored) : stored;
  const turns = { 3: 2, 4: 2, 5: 3, 6: 1, 7: 1, 8: 3 }[orientation] ?? 0;
  return quarters(mirrored, turns);
}

/** A part of a picture. */
export function cropped(source: Picture, left: number, top: number, width: number, height: number): Picture {
  return drawn(source, width, height, (x, y) => at(source, left + x, top + y));
}

/** The mean of the pixels inside the picture and the window, rounded half up or down; colours count by their alpha. */
export function meanOf(source: Picture, size: number, round: (value: number) => number): Picture {
  const { width, height, channels } = source;
  const reach = (size - 1) / 2;
  const alphaAt = channels % 2 === 0 ? channels - 1 : -1;
  return drawn(source, width, height, (x, y) => {
    const own = at(source, x, y);
    const window = {
      left: Math.max(0, x - reach),
      right: Math.min(width - 1, x + reach),
      top: Math.max(0, y - reach),
      bottom: Math.min(height - 1, y + reach),
    };
    return own.map((value, channel) => {
      const { sum, weight } = summed(source, window, channel, channel === alphaAt ? -1 : alphaAt);
      return weight === 0 ? value : round(sum / weight);
    });
  });
}

interface Window {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The sum of a channel over a window, each sample times that of the weighing channel, or of one when that is -1. */
function summed({ data, width, channels }: Picture, window: Window, channel: number, weighing: number) {
  let [sum, weight] = [0, 0];
  for (let y = window.top; y <= window.bottom; y += 1) {
    for (let x = window.left; x <= window.right; x += 1) {
      const start = (y * width + x) * channels;
      const counts = weighing < 0 ? 1 : (data[start + weighing] ?? 0);
      sum += (data[start + channel] ?? 0) * counts;
      weight += counts;
    }
  }
  return { sum, weight };
}

/** Each pixel as one number of its colour, alpha kept. */
export function grayed(
  source: Picture,
  gray: (r: number, g: number, b: number) => number,
  times = 1,
): Picture {
  const hasAlpha = source.channels % 2 === 0;
  const channels = (times + (hasAlpha ? 1 : 0)) as Picture['channels'];
  return drawn({ ...source, channels }, source.width, source.height, (x, y) => {
    const [r = 0, g = 0, b = 0, a = 0] = at(source, x, y);
    return [...Array.from({ length: times }, () => gray(r, g, b)), ...(hasAlpha ? [a] : [])];
  });
}

/**
 * Resampled by Lanczos's window of three lobes, stretched when shrinking. Pixels meet at their centres; when enlarging
 * at their corners, as libvips has it, which lies half a pixel of the result further.
 */
export function lanczos(source: Picture, width: number, height: number): Picture {
  const across = weightsOf(source.width, width);
  const down = weightsOf(source.height, height);
  const wide = drawn(source, width, source.height, (x, y) =>
    blended(across[x] ?? [], (u) => at(source, u, y)),
  );
  return drawn(source, width, height, (x, y) =>
    blended(down[y] ?? [], (v) => at(wide, x, v)).map((value) => Math.min(source.most, Math.max(0, value))),
  );
}

type Weights = readonly { readonly place: number; readonly weight: number }[];

function weightsOf(from: number, to: number): Weights[] {
  const factor = Math.max(1, from / to);
  return Array.from({ length: to }, (_, i) => {
    const centre = ((i + (from > to ? 0.5 : 0)) * from) / to - 0.5;
    const places = Array.from(
      { length: Math.ceil(6 * factor) + 2 },
      (_, n) => Math.floor(centre - 3 * factor) + n,
    );
    const weights = places.map((place) => ({ place, weight: window3((place - centre) / factor) }));
    const total = weights.reduce((sum, { weight }) => sum + weight, 0);
    return weights.map(({ place, weight }) => ({ place, weight: weight / total }));
  });
}

function window3(x: number): number {
  if (x === 0) return 1;
  return Math.abs(x) >= 3
    ? 0
    : (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2;
}

function blended(weights: Weights, pixel: (place: number) => readonly number[]): number[] {
  const sums: number[] = [];
  for (const { place, weight } of weights)
    for (const [i, value] of pixel(place).entries()) sums[i] = (sums[i] ?? 0) + value * weight;
  return sums;
}

/** As RGBA whose clear pixels have no colour, so that pictures can be compared by what is seen of them. */
export function seen(source: Picture): Picture {
  const { width, height, channels, most } = source;
  return drawn({ channels: 4, most }, width, height, (x, y) => {
    const pixel = at(source, x, y);
    const alpha = channels % 2 === 0 ? (pixel[channels - 1] ?? most) : most;
    const [r = 0, g = r, b = r] = channels < 3 ? pixel.slice(0, 1) : pixel;
    return alpha === 0 ? [0, 0, 0, 0] : [r, g, b, alpha];
  });
}

/** How far two pictures of one shape are apart, in levels; infinitely when their shapes differ. */
export function apart(one: Picture, other: Picture): { readonly most: number; readonly mean: number } {
  const same =
    one.width === other.width &&
    one.height === other.height &&
    one.channels === other.channels &&
    one.most === other.most;
  if (!same || one.data.length !== other.data.length)
    return { most: Number.POSITIVE_INFINITY, mean: Number.POSITIVE_INFINITY };
  let [most, sum] = [0, 0];
  for (let i = 0; i < one.data.length; i += 1) {
    const difference = Math.abs((one.data[i] ?? 0) - (other.data[i] ?? 0));
    most = Math.max(most, difference);
    sum += difference;
  }
  return { most, mean: sum / one.data.length };
}
