import { blankSamples, type Pixels } from '../kernels/pixels.js';
import type { OutputOptions } from '../recipe.js';

/** Means and deviations of ImageNet's R, G and B, on 0..1. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/**
 * Pixels as a NumPy array file, version 1.0 of the format (numpy.lib.format): uint8 or uint16 as they are, or
 * float32 when a scale is asked for; shape HxWxC, or CxHxW with layout chw. `channels` 2 asks for gray and alpha
 * of pixels that carry their gray three times.
 */
export function npy(
  given: Pixels,
  options: Pick<OutputOptions, 'tensorScale' | 'layout'>,
  channels = given.channels,
): Buffer {
  const pixels = channels === 2 && given.channels === 4 ? grayAndAlpha(given) : given;
  const values = options.tensorScale === undefined ? pixels.data : scaledValues(pixels, options.tensorScale);
  const planar = options.layout === 'chw' ? transposed(values, pixels) : values;
  const { width, height } = pixels;
  const shape =
    options.layout === 'chw' ? [pixels.channels, height, width] : [height, width, pixels.channels];
  return Buffer.concat([
    headerFor(planar, shape),
    Buffer.from(planar.buffer, planar.byteOffset, planar.byteLength),
  ]);
}

function blank(values: Values): Values {
  return values instanceof Float32Array
    ? new Float32Array(values.length)
    : blankSamples(values, values.length);
}

function grayAndAlpha({ data, ...size }: Pixels): Pixels {
  const pair = blankSamples(data, data.length / 2);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 2) {
    pair[to] = data[from] ?? 0;
    pair[to + 1] = data[from + 3] ?? 0;
  }
  return { ...size, data: pair, channels: 2 };
}

type Values = Uint8Array | Uint16Array | Float32Array;

/** Magic, version, header length, then a Python literal padded so that the data start at a multiple of 64 bytes. */
function headerFor(values: Values, shape: readonly number[]): Buffer {
  const type = values instanceof Float32Array ? '<f4' : values instanceof Uint16Array ? '<u2' : '|u1';
  const literal = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const padded = `${literal.padEnd(Math.ceil((literal.length + 11) / 64) * 64 - 11, ' ')}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(padded, 'latin1')]);
}

function scaledValues(pixels: Pixels, scale: string): Float32Array {
  const most = pixels.data instanceof Uint16Array ? 65_535 : 255;
  const { channels, data } = pixels;
  const rules = Array.from({ length: channels }, (_, channel) => ruleFor(scale, channel, most));
  const values = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += 1) {
    const rule = rules[at % channels] ?? { mean: 0, deviation: 1 };
    values[at] = ((data[at] ?? 0) - rule.mean) / rule.deviation;
  }
  return values;
}

function ruleFor(scale: string, channel: number, most: number): { mean: number; deviation: number } {
  if (scale === '0..1') return { mean: 0, deviation: most };
  if (scale === 'imagenet') {
    return {
      mean: (IMAGENET.mean[channel] ?? 0) * most,
      deviation: (IMAGENET.deviation[channel] ?? 1) * most,
    };
  }
  const [mean, deviation] = scale.split('/').map(Number);
  return { mean: mean ?? 0, deviation: deviation ?? 1 };
}

function transposed<V extends Values>(values: V, { width, height, channels }: Pixels): V {
  // never slice(): that of a Buffer is a window on the same memory
  const planar = blank(values) as V;
  const area = width * height;
  for (let at = 0; at < values.length; at += 1)
    planar[(at % channels) * area + Math.floor(at / channels)] = values[at] ?? 0;
  return planar;
}
