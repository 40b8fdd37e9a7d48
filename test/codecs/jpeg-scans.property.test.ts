import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type JpegOptions, type ResizeOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpegHeader } from '../../src/codecs/jpeg-markers.js';
import { eighthApplies, keepScansForEighth } from '../../src/codecs/jpeg-scans.js';
import { blow, strike } from './blows.js';
import {
  cjpeg,
  djpegEighth,
  jpegtran,
  needsTools,
  open,
  picture,
  resized,
  scanScript,
  skipWithoutTools,
} from './jpeg-samples.js';

const SAMPLINGS = ['1x1', '2x1', '1x2', '2x2', '4x1', '1x4', '4x2', '2x4', '2x2,2x1,1x2', '1x1,2x2,1x1'];
const RESTARTS = [[], ['-restart', '1'], ['-restart', '3'], ['-restart', '7B']];
const SLOTS = ['0', '0,1', '0,1,1', '1,0,1', '0,1,0', '1,1,0'];

const side = fc.integer({ min: 81, max: 230 });
const size = fc.record({ width: side, height: side, seed: fc.nat() });

/** The cut stream, which there must be, and a check that sharp makes the same pixels of it at 1/8. */
async function expectSame(jpeg: Buffer): Promise<Uint8Array> {
  const cut = keepScansForEighth(jpeg);
  if (cut === undefined) throw new Error('expected a cut stream for a sound progressive JPEG, received none');
  expect(cut.length).toBeLessThan(jpeg.length);
  const { width = 0, height = 0 } = jpegHeader(jpeg) ?? {};
  const target = { width: Math.floor(width / 9), height: Math.floor(height / 9), fit: 'inside' } as const;
  expect((await resized(cut, target)).equals(await resized(jpeg, target))).toBe(true);
  return cut;
}

describe('a progressive JPEG without the scans that 1/8 does not use', () => {
  it("gives the same pixels for sharp's own progressive files", async () => {
    const options = fc.record({
      quality: fc.integer({ min: 30, max: 100 }),
      chromaSubsampling: fc.constantFrom('4:4:4', '4:2:0'),
      mozjpeg: fc.boolean(),
    });
    const colours = fc.constantFrom('srgb', 'b-w', 'cmyk');
    await fc.assert(
      fc.asyncProperty(size, options, colours, async ({ width, height, seed }, jpeg, colour) => {
        const image = open(picture(width, height, seed)).toColourspace(colour);
        await expectSame(await image.jpeg({ ...jpeg, progressive: true }).toBuffer());
      }),
      { numRuns: 60 },
    );
  });

  it.skipIf(skipWithoutTools)(
    `gives the same pixels for any scan script, sampling, restart interval and table sharing ${needsTools}`,
    async () => {
      const encoding = fc.record({
        quality: fc.integer({ min: 40, max: 100 }),
        sample: fc.constantFrom(...SAMPLINGS),
        restart: fc.constantFrom(...RESTARTS),
        slots: fc.constantFrom(...SLOTS),
      });
      await fc.assert(
        fc.asyncProperty(size, encoding, scanScript(3), async ({ width, height, seed }, how, script) => {
          const quality = ['-quality', `${how.quality},${Math.ceil(how.quality / 2)}`];
          const args = [...quality, '-sample', how.sample, '-qslots', how.slots];
          const still = cjpeg(args, picture(width, height, seed));
          const jpeg = jpegtran(how.restart, still, script);
          const cut = await expectSame(jpeg);
          expect(djpegEighth(cut).equals(djpegEighth(jpeg))).toBe(true);
        }),
        { numRuns: 70 },
      );
    },
  );

  it.skipIf(skipWithoutTools)(
    `gives the same pixels for gray with any scan script ${needsTools}`,
    async () => {
      const restart = fc.constantFrom(...RESTARTS);
      await fc.assert(
        fc.asyncProperty(size, restart, scanScript(1), async ({ width, height, seed }, args, script) => {
          await expectSame(jpegtran(args, cjpeg([], picture(width, height, seed, 1)), script));
        }),
        { numRuns: 20 },
      );
    },
  );

  it.skipIf(skipWithoutTools)(
    `gives the same pixels for CMYK with any scan script ${needsTools}`,
    async () => {
      const sampling = fc.constantFrom('4:4:4', '4:2:0');
      await fc.assert(
        fc.asyncProperty(size, sampling, scanScript(4), async (drawn, chromaSubsampling, script) => {
          const { width, height, seed } = drawn;
          const image = open(picture(width, height, seed)).toColourspace('cmyk');
          const still = await image.jpeg({ chromaSubsampling }).toBuffer();
          await expectSame(jpegtran([], still, script));
        }),
        { numRuns: 20 },
      );
    },
  );
});

describe('a damaged progressive JPEG', () => {
  it('is left alone, or cut to a stream with the same pixels wherever the strict decoder accepts it', async () => {
    const image = open(picture(120, 100, 7)).withExif({ IFD0: { Copyright: 'nobody' } });
    const sound: Buffer[] = await Promise.all(
      (['4:4:4', '4:2:0'] as const).map((chromaSubsampling) =>
        image.clone().jpeg({ progressive: true, chromaSubsampling, quality: 60 }).toBuffer(),
      ),
    );
    const target = { width: 13, height: 11, fit: 'fill' } as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sound),
        fc.array(blow, { minLength: 1, maxLength: 3 }),
        async (jpeg, hits) => {
          const damaged = hits.reduce(strike, jpeg);
          const cut = keepScansForEighth(damaged);

          if (cut === undefined) return;
          const [original, reduced] = await Promise.allSettled([
            resized(damaged, target),
            resized(cut, target),
          ]);

          if (original.status === 'rejected') return;

          expect(reduced).toEqual(original);
        },
      ),
      { numRuns: 600 },
    );
  });
});

describe('eighthApplies', () => {
  it('is true exactly where sharp loads at 1/8, so that a cut stream gives the same pixels', async () => {
    const fit = fc.constantFrom('cover', 'contain', 'fill', 'inside', 'outside');
    const pixels = fc.option(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 18, max: 27 })), {
      nil: undefined,
    });
    const orientation = fc.integer({ min: 1, max: 8 });
    const stored = { width: 207, height: 180 };
    const plain = open(picture(stored.width, stored.height, 3));
    const options: JpegOptions = { progressive: true, chromaSubsampling: '4:4:4', quality: 95 };
    const files = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((value) =>
        plain.clone().withMetadata({ orientation: value }).jpeg(options).toBuffer(),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fit,
        pixels,
        pixels,
        orientation,
        fc.boolean(),
        async (fit, width, height, exif, orient) => {
          fc.pre(width !== undefined || height !== undefined);
          const jpeg = files[exif - 1] ?? Buffer.alloc(0);
          const cut = keepScansForEighth(jpeg);
          if (cut === undefined) throw new Error('expected a cut stream, received none');
          const request = {
            fit,
            ...(width === undefined ? {} : { width }),
            ...(height === undefined ? {} : { height }),
          };
          const same = (await resized(cut, request, orient)).equals(await resized(jpeg, request, orient));
          expect(eighthApplies(stored, request, orient && exif > 4)).toBe(same);
          expect(same || !eighthApplies(stored, request, undefined)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function pixels(jpeg: Uint8Array, target: ResizeOptions): Promise<Buffer> {
  return sharp(jpeg, { failOn: 'none' }).resize(target).raw().toBuffer();
}

const corpus = process.env.IMGTOOL_CORPUS;

describe.skipIf(corpus === undefined || skipWithoutTools)(
  `the corpus at $IMGTOOL_CORPUS ${needsTools}`,
  () => {
    it('gives the same pixels for its JPEG files made progressive', async () => {
      const root = corpus ?? '';
      const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
      const sound = names.filter((name) => /\.jpe?g$/i.test(name) && !name.includes('hostile'));
      let compared = 0;
      for (const name of sound.slice(0, 40)) {
        // By name, not by stdin: jpegtran stops reading at EOI, before what cameras append.
        const jpeg = jpegtran(['-copy', 'all', '-progressive', join(root, name)], Buffer.alloc(0));
        const cut = keepScansForEighth(jpeg);
        const { width = 0, height = 0 } = jpegHeader(jpeg) ?? {};
        const target = { width: Math.floor(width / 9) };
        if (cut === undefined || !eighthApplies({ width, height }, target, false)) continue;
        const [kept, whole] = [await pixels(cut, target), await pixels(jpeg, target)];
        expect(kept.equals(whole), name).toBe(true);
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    });
  },
);
