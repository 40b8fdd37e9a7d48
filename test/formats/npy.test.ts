import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { at, type Picture } from '../operations/naive.js';
import { readPng } from '../operations/read-png.js';
import { run } from '../operations/run.js';
import { fixture } from '../support/fixtures.js';

const KINDS = ['rgb', 'rgba', 'gray', 'gray-alpha', 'gray16', 'rgb16'].map((kind) =>
  fixture(`png/${kind}.png`),
);
const IMAGENET = [
  [0.485, 0.229],
  [0.456, 0.224],
  [0.406, 0.225],
] as const;

describe('--format npy', () => {
  it('holds the samples as they are: height, width, channels; 8 and 16 bits', async () => {
    const results = await run('mean', KINDS, ['--size', '1', '--format', 'npy']);
    for (const [i, file] of KINDS.entries()) {
      const source = await readPng(file);
      const array = await readNpy(results[i]?.path ?? '');
      expect(array.type, file).toBe(source.most === 255 ? '|u1' : '<u2');
      expect(array.shape, file).toEqual([source.height, source.width, source.channels]);
      expect(differing(array.values, source.data), file).toBe(0);
    }
  });

  it('puts channels first with --layout chw', async () => {
    const results = await run('mean', KINDS, ['--size', '1', '--format', 'npy', '--layout', 'chw']);
    for (const [i, file] of KINDS.entries()) {
      const source = await readPng(file);
      const array = await readNpy(results[i]?.path ?? '');
      expect(array.shape, file).toEqual([source.channels, source.height, source.width]);
      expect(differing(array.values, planes(source)), file).toBe(0);
    }
  });

  const scales: readonly [scale: string, rule: (share: number, value: number, channel: number) => number][] =
    [
      ['0..1', (share) => share],
      ['127.5/127.5', (_, value) => (value - 127.5) / 127.5],
      [
        'imagenet',
        (share, _, channel) => (share - (IMAGENET[channel]?.[0] ?? 0)) / (IMAGENET[channel]?.[1] ?? 1),
      ],
    ];

  it.each(scales)('becomes float32 with --tensor-scale %s', async (scale, rule) => {
    const files = ['rgb', 'rgb16', 'gray'].map((kind) => fixture(`png/${kind}.png`));
    const results = await run('mean', files, ['--size', '1', '--format', 'npy', '--tensor-scale', scale]);
    for (const [i, file] of files.entries()) {
      const source = await readPng(file);
      const array = await readNpy(results[i]?.path ?? '');
      expect(array.type).toBe('<f4');
      const wanted = Array.from(source.data, (value, n) =>
        rule(value / source.most, value, n % source.channels),
      );
      const far = array.values.map(
        (value, n) => Math.abs(value - (wanted[n] ?? Number.NaN)) / Math.max(1, Math.abs(wanted[n] ?? 1)),
      );
      expect(Math.max(...far), file).toBeLessThan(1e-6);
    }
  });
});

function differing(values: readonly number[], wanted: ArrayLike<number>): number {
  expect(values.length).toBe(wanted.length);
  return values.filter((value, i) => value !== wanted[i]).length;
}

function planes(picture: Picture): number[] {
  const values: number[] = [];
  for (let channel = 0; channel < picture.channels; channel += 1)
    for (let y = 0; y < picture.height; y += 1)
      for (let x = 0; x < picture.width; x += 1) values.push(at(picture, x, y)[channel] ?? 0);
  return values;
}

/** The .npy format 1.0, read by its specification. */
async function readNpy(path: string): Promise<{ type: string; shape: number[]; values: number[] }> {
  const file = await readFile(path);
  expect(file.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
  const start = 10 + file.readUInt16LE(8);
  expect([start % 64, file[start - 1]]).toEqual([0, 0x0a]);
  const head = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(
    file.toString('latin1', 10, start),
  );
  const [, type = '', sides = ''] = head ?? [];
  const data = file.subarray(start);
  const size = Number(type.at(-1));
  const read = {
    '|u1': (n: number) => data.readUInt8(n),
    '<u2': (n: number) => data.readUInt16LE(n),
    '<f4': (n: number) => data.readFloatLE(n),
  }[type];
  const values = Array.from({ length: data.length / size }, (_, i) => read?.(i * size) ?? Number.NaN);
  const shape = sides.split(', ').map(Number);
  expect(values.length).toBe(shape.reduce((product, side) => product * side, 1));
  return { type, shape, values };
}
