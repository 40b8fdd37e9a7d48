import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MeanParams, meanBand } from '../../src/kernels/mean.js';
import { mean } from '../../src/kernels/mean-filter.js';
import { blankSamples, type Pixels, type Samples } from '../../src/kernels/pixels.js';

describe('the box mean', () => {
  it('of the published vector is the vector’s answer', () => {
    const source: Pixels = {
      data: Uint8Array.from({ length: 12 }, (_, i) => i),
      width: 3,
      height: 4,
      channels: 1,
    };
    expect([...meanOf(source, { size: 3, rounding: 'floor' })]).toEqual([2, 2, 3, 3, 4, 4, 6, 7, 7, 8, 8, 9]);
  });

  it('rounds halves up, or floors', () => {
    const source: Pixels = { data: Uint8Array.of(1, 2), width: 2, height: 1, channels: 1 };
    expect([...meanOf(source, { size: 3, rounding: 'nearest' })]).toEqual([2, 2]);
    expect([...meanOf(source, { size: 3, rounding: 'floor' })]).toEqual([1, 1]);
  });

  it('is the mean taken one pixel at a time, at every shape, depth, window and rounding', async () => {
    await fc.assert(
      fc.property(pictures, windows, (source, params) => {
        expect(meanOf(source, params)).toEqual(onePixelAtATime(source, params));
      }),
      { numRuns: 300 },
    );
  });

  it('is exact where sums are largest: white 16-bit pictures under the largest window', () => {
    for (const channels of [1, 2, 3, 4] as const) {
      const data = new Uint16Array(1003 * 502 * channels).fill(65_535);
      data[0] = 65_534;
      const source: Pixels = { data, width: 1003, height: 502, channels };
      const floored = meanOf(source, { size: 1001, rounding: 'floor' });
      const nearest = meanOf(source, { size: 1001, rounding: 'nearest' });
      expect([floored[0], nearest[0]]).toEqual([65_534, 65_535]);
      expect([floored.at(-1), nearest.at(-1)]).toEqual([65_535, 65_535]);
    }
  });

  it('does not depend on where bands begin', async () => {
    await fc.assert(
      fc.property(pictures, windows, fc.nat(24), (source, params, cut) => {
        const row = Math.min(cut, source.height);
        const target = blankSamples(source.data, source.data.length);
        meanBand(source, target, row, source.height, params);
        meanBand(source, target, 0, row, params);
        expect(target).toEqual(meanOf(source, params));
      }),
    );
  });

  it('keeps a pixel’s own colour where the whole window is transparent', () => {
    const source: Pixels = {
      data: Uint8Array.of(10, 20, 30, 0, 40, 50, 60, 0),
      width: 2,
      height: 1,
      channels: 4,
    };
    expect(meanOf(source, { size: 3, rounding: 'nearest' })).toEqual(source.data);
  });

  it('takes a Buffer, and a view that does not begin at its memory’s start', async () => {
    const whole = Uint8Array.from({ length: 40 }, (_, i) => i * 6);
    const params = { size: 3, rounding: 'nearest' } as const;
    const shape = { width: 4, height: 3, channels: 3 } as const;
    const plain = await mean({ ...shape, data: whole.slice(3, 39) }, params);
    const viewed = await mean({ ...shape, data: Buffer.from(whole.buffer, 3, 36) }, params);
    expect(viewed.data).toEqual(plain.data);
  });
});

const windows = fc.record({
  size: fc.nat(30).map((half) => 2 * half + 1),
  rounding: fc.constantFrom('nearest' as const, 'floor' as const),
});

const pictures: fc.Arbitrary<Pixels> = fc
  .record({
    width: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 24 })),
    height: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 24 })),
    channels: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
    deep: fc.boolean(),
    sparse: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ deep, sparse, seed, ...shape }) => ({ ...shape, data: noise(shape, deep, sparse, seed) }));

/** Repeatable noise; `sparse` is mostly zero, so that windows without any alpha occur. */
function noise(shape: Omit<Pixels, 'data'>, deep: boolean, sparse: boolean, seed: number): Samples {
  const length = shape.width * shape.height * shape.channels;
  let state = seed | 1;
  const sample = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return sparse && (state & 0xf0000) !== 0 ? 0 : (state >>> 4) & 0xffff;
  };
  const samples = Array.from({ length }, sample);
  return deep ? Uint16Array.from(samples) : Uint8Array.from(samples);
}

function meanOf(source: Pixels, params: MeanParams): Samples {
  const target = blankSamples(source.data, source.data.length);
  meanBand(source, target, 0, source.height, params);
  return target;
}

function onePixelAtATime(source: Pixels, params: MeanParams): Samples {
  const { width, channels, data } = source;
  const own = (i: number): number => data[i] ?? Number.NaN;
  return data.map((_, i) => {
    const pixel = Math.floor(i / channels);
    return oneMean(source, params, pixel % width, Math.floor(pixel / width), i % channels) ?? own(i);
  });
}

function oneMean(
  source: Pixels,
  params: MeanParams,
  x: number,
  y: number,
  channel: number,
): number | undefined {
  const { width, height, channels, data } = source;
  const weighs = channels % 2 === 0 && channel < channels - 1;
  let sum = 0;
  let weight = 0;
  for (const row of around(y, params.size, height)) {
    for (const column of around(x, params.size, width)) {
      const at = (row * width + column) * channels;
      const share = weighs ? (data[at + channels - 1] ?? Number.NaN) : 1;
      sum += share * (data[at + channel] ?? Number.NaN);
      weight += share;
    }
  }
  if (weight === 0) return undefined;
  return params.rounding === 'floor' ? quotient(sum, weight) : quotient(2 * sum + weight, 2 * weight);
}

/** The positions below `end` that a window of `size` around `centre` holds. */
function around(centre: number, size: number, end: number): number[] {
  const first = Math.max(0, centre - (size - 1) / 2);
  const last = Math.min(end - 1, centre + (size - 1) / 2);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Whole-number division, without a rounding that could hide an error of the kernel's. */
function quotient(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}
