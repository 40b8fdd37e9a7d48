import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import type * as Bands from '../../src/kernels/bands.js';
import { meanBand } from '../../src/kernels/mean.js';
import type * as MeanFilter from '../../src/kernels/mean-filter.js';
import type { Pixels } from '../../src/kernels/pixels.js';

// Threads start from a built file, so this is the built code; the global setup has built it.
const built = (name: string): string => new URL(`../../dist/kernels/${name}.js`, import.meta.url).href;
const { mean }: typeof MeanFilter = await import(built('mean-filter'));
const { closeBands }: typeof Bands = await import(built('bands'));

const params = { size: 51, rounding: 'nearest' } as const;

afterAll(() => closeBands());

describe('a kernel in bands', () => {
  it.each([1, 2, 3, 4])('gives the same bytes with %i threads', async (threads) => {
    for (const source of [large(Uint8Array, 3), large(Uint16Array, 4)]) {
      const result = await mean(source, params, { threads });
      expect(result).toMatchObject({ width: source.width, height: source.height, channels: source.channels });
      expect(Buffer.compare(bytes(result), bytes(whole(source)))).toBe(0);
      expect(result.data.buffer instanceof SharedArrayBuffer).toBe(threads > 1);
    }
  });

  it('runs more pictures at once than there are threads', async () => {
    const source = large(Uint8Array, 3);
    const results = await Promise.all(Array.from({ length: 5 }, () => mean(source, params, { threads: 2 })));
    for (const result of results) expect(Buffer.compare(bytes(result), bytes(whole(source)))).toBe(0);
  });

  it('leaves a source in shared memory where it is, and unchanged', async () => {
    const source = large(Uint8Array, 3);
    const data = new Uint8Array(new SharedArrayBuffer(source.data.length));
    data.set(source.data);
    const result = await mean({ ...source, data }, params, { threads: 2 });
    expect(Buffer.compare(bytes(result), bytes(whole(source)))).toBe(0);
    expect(Buffer.compare(bytes({ ...source, data }), bytes(source))).toBe(0);
  });

  it.each([1, 2])('stops when told to, with %i threads', async (threads) => {
    const source = large(Uint8Array, 3);
    const controller = new AbortController();
    const waiting = Array.from({ length: 3 }, () =>
      mean(source, params, { threads, signal: controller.signal }),
    );
    controller.abort();
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'E_CANCELLED', stage: 'process' },
      });
    }
    const after = mean(source, params, { threads, signal: controller.signal });
    await expect(after).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  it('fails what is under way when the threads are closed, and starts anew after', async () => {
    const source = large(Uint8Array, 3);
    const cut = expect(mean(source, params, { threads: 2 })).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await closeBands();
    await cut;
    const result = await mean(source, params, { threads: 2 });
    expect(Buffer.compare(bytes(result), bytes(whole(source)))).toBe(0);
  });

  it('keeps the process alive while it works, and not a moment longer', async () => {
    const script = `
      import { mean } from ${JSON.stringify(built('mean-filter'))};
      const source = { data: new Uint8Array(6e6).fill(7), width: 2000, height: 1000, channels: 3 };
      const { data } = await mean(source, { size: 3, rounding: 'nearest' }, { threads: 2 });
      process.stdout.write(String(data.every((sample) => sample === 7)));`;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const args = ['--input-type=module', '-e', script];
    const { stdout } = await execa(process.execPath, args, { cwd, timeout: 50_000 });
    expect(stdout).toBe('true');
  });
});

/** Noise with samples enough for four bands. */
function large(kind: Uint8ArrayConstructor | Uint16ArrayConstructor, channels: 3 | 4): Pixels {
  const width = 1501;
  const height = Math.ceil((4 * 2 ** 21) / width / channels);
  const data = new kind(width * height * channels);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    data[i] = state >>> 16;
  }
  return { data, width, height, channels };
}

function whole(source: Pixels): Pixels {
  const data = source.data.slice();
  meanBand(source, data, 0, source.height, params);
  return { ...source, data };
}

function bytes({ data }: Pixels): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
