import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { closeBands } from '../../dist/kernels/bands.js';
import { mean } from '../../dist/kernels/mean-filter.js';
import { inTurn, measured, median } from '../measure.mjs';
import { BARE, IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { inFreshFolder } from '../scratch.mjs';

/** The mean filter on one 12-megapixel photograph: the whole command, and the kernel alone in one thread and two. */
export async function run({ rounds = 5 }) {
  const folder = await made('mean', 1, { width: 4000, height: 3000 });
  const photograph = join(folder, readdirSync(folder)[0]);
  const sides = inTurn(
    {
      'mean 3': () => command(photograph, 3),
      'mean 51': () => command(photograph, 51),
      'sharp blur 3x3': () => blur(photograph),
    },
    rounds,
  );
  const kernel = await kernelTimes(photograph, rounds);
  return {
    rows: [
      ...Object.entries(sides).map(([side, { wall, cpu, rss }]) => ({
        side,
        'wall s': wall,
        'CPU s': cpu,
        'peak MB': rss,
      })),
      ...Object.entries(kernel).map(([side, wall]) => ({
        side,
        'wall s': wall,
        'CPU s': Number.NaN,
        'peak MB': Number.NaN,
      })),
    ],
    bars: [
      { text: 'wall, window 51 / window 3', value: sides['mean 51'].wall / sides['mean 3'].wall, most: 1.2 },
      {
        text: 'wall, window 3 / sharp blur 3x3',
        value: sides['mean 3'].wall / sides['sharp blur 3x3'].wall,
        most: 1.5,
      },
      {
        text: 'kernel, one thread / two threads',
        value: kernel['kernel, 1 thread'] / kernel['kernel, 2 threads'],
        least: 1.8,
      },
    ],
    raw: { sides, kernel },
  };
}

function command(photograph, size) {
  return inFreshFolder((out) =>
    measured([...IMGTOOL, 'mean', photograph, '--size', String(size), '--out', out]),
  );
}

function blur(photograph) {
  const recipe = JSON.stringify({ steps: [['blur']], quality: 80 });
  return inFreshFolder((out) => measured([...BARE, photograph, out, recipe]));
}

async function kernelTimes(photograph, rounds) {
  const { data, info } = await sharp(photograph).raw().toBuffer({ resolveWithObject: true });
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  const pixels = { data: shared, width: info.width, height: info.height, channels: info.channels };
  const times = { 'kernel, 1 thread': [], 'kernel, 2 threads': [] };
  for (let round = -2; round < rounds; round += 1) {
    for (const threads of [1, 2]) {
      const started = performance.now();
      await mean(pixels, { size: 51, rounding: 'nearest' }, { threads });
      // the first rounds let the compiler see the loops
      if (round >= 0)
        times[`kernel, ${threads} thread${threads === 1 ? '' : 's'}`].push(
          (performance.now() - started) / 1000,
        );
    }
  }
  await closeBands();
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}
