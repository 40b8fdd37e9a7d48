import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { WIDE_LIMITS } from '../src/limits.js';
import type { Shape, Step } from '../src/operations/operation.js';
import { planPasses } from '../src/plan.js';
import { processImage } from '../src/process.js';
import { parseRecipe } from '../src/recipe.js';
import { decoded } from './operations/decoded.js';
import { waves } from './operations/made.js';
import { apart, at, drawn, type Picture } from './operations/naive.js';

type StepInput = { op: string } & Record<string, unknown>;

const side = fc.integer({ min: 5, max: 70 });
const quarter = fc.constantFrom(90, 180, 270, -90, 450);
/** Steps that move pixels and change none. */
const move: fc.Arbitrary<StepInput> = fc.oneof(
  quarter.map((angle) => ({ op: 'rotate', angle })),
  fc.constantFrom(
    { op: 'rotate', flip: true },
    { op: 'rotate', flop: true },
    { op: 'rotate', flip: true, angle: 90 },
  ),
);
const drawing: fc.Arbitrary<StepInput> = fc.oneof(
  { weight: 2, arbitrary: move },
  side.map((size) => ({ op: 'thumbnail', size })),
  fc.record({ op: fc.constant('resize'), width: side, fit: fc.constant('inside'), enlarge: fc.boolean() }),
  fc.record({
    op: fc.constant('resize'),
    width: side,
    height: side,
    fit: fc.constantFrom('fill', 'cover', 'contain', 'outside', 'inside'),
    enlarge: fc.boolean(),
  }),
  fc.record({ op: fc.constant('scale'), factor: fc.constantFrom(0.5, 0.75, 1.5, '30%') }),
  fc.integer({ min: 1, max: 359 }).map((angle) => ({ op: 'rotate', angle })),
  fc.constantFrom(
    { op: 'grayscale' },
    { op: 'grayscale', channels: 3 },
    { op: 'grayscale', method: 'luminance' },
    { op: 'grayscale', method: 'luminance', channels: 3 },
    { op: 'mean' },
  ),
);
const shape: fc.Arbitrary<Shape> = fc.record({
  width: fc.integer({ min: 1, max: 90 }),
  height: fc.integer({ min: 1, max: 90 }),
  channels: fc.constantFrom(1, 2, 3, 4),
  depth: fc.constantFrom(8, 16),
});
const bind = (steps: readonly StepInput[]): readonly Step[] => parseRecipe({ steps }).steps;

describe('a plan', () => {
  it('keeps the order of the steps, and uses no setting of sharp twice in a pass', () => {
    fc.assert(
      fc.property(
        fc.array(drawing, { maxLength: 8 }),
        shape,
        fc.constantFrom('transparent', 'white'),
        (inputs, start, background) => {
          const passes = planPasses(bind(inputs), start, WIDE_LIMITS, background);
          const names = passes.flatMap((pass) =>
            pass.kind === 'kernel' ? [pass.name] : pass.steps.map(({ name }) => name),
          );
          const left = inputs.map(({ op }) => op);
          for (const name of names) expect(left.splice(0, left.indexOf(name) + 1)).toContain(name);
          for (const pass of passes) {
            if (pass.kind === 'kernel') continue;
            const settings = pass.steps.map(({ setting }) => setting);
            expect(new Set(settings).size).toBe(settings.length);
          }
          expect([passes[0]?.kind, passes.at(-1)?.kind]).toEqual(['draw', 'draw']);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('names the shape that the result has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(drawing, { maxLength: 5 }), shape, async (inputs, start) => {
        const planned = planPasses(bind(inputs), start, WIDE_LIMITS, 'transparent').at(-1)?.after;
        const { width, height, channels, most } = await decoded(await made(await sample(start), inputs));
        expect({ width, height, depth: most === 255 ? 8 : 16 }).toEqual({
          width: planned?.width,
          height: planned?.height,
          depth: planned?.depth,
        });
        // what sharp decodes has three colours where it has alpha
        expect(channels).toBe(planned?.channels === 2 ? 4 : planned?.channels);
      }),
      { numRuns: 80 },
    );
  });

  it('moves pixels in one go as step by step, exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 2, maxLength: 6 }), shape, async (inputs, start) => {
        expect(await fusedAgainstSteps(inputs, start)).toEqual({ most: 0, mean: 0 });
      }),
      { numRuns: 40 },
    );
  });

  it('draws in one go what it draws step by step, to two levels of 255 and a mean of a third', async () => {
    const colour = fc.constant<Shape>({ width: 80, height: 60, channels: 3, depth: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(drawing, { minLength: 2, maxLength: 4 }), colour, async (steps, start) => {
        // sharp blends a slanted edge with a clear background in one way beside a resize, in another without
        const inputs = steps.map((step) => (mayOpen(step) ? { ...step, background: 'black' } : step));
        const { most, mean } = await fusedAgainstSteps(inputs, start);
        expect(most).toBeLessThanOrEqual(2);
        expect(mean).toBeLessThan(0.34);
      }),
      { numRuns: 60 },
    );
  });
});

function mayOpen({ op, angle, fit }: StepInput): boolean {
  return (op === 'rotate' && angle !== undefined) || fit === 'contain';
}

async function fusedAgainstSteps(inputs: readonly StepInput[], start: Shape) {
  const source = await sample(start);
  const fused = await made(source, inputs);
  let stepped = source;
  for (const input of inputs) stepped = await made(stepped, [input]);
  return apart(weighed(await decoded(fused)), weighed(await decoded(stepped)));
}

/** Colours as much as they can be seen: under little alpha a level of difference means nothing. */
function weighed(picture: Picture): Picture {
  const { width, height, channels, most } = picture;
  if (channels % 2 === 1) return picture;
  return drawn(picture, width, height, (x, y) => {
    const pixel = at(picture, x, y);
    const alpha = pixel[channels - 1] ?? 0;
    return pixel.map((value, i) => (i === channels - 1 ? value : (value * alpha) / most));
  });
}

/** The lossless PNG that a recipe makes of a PNG. */
async function made(png: Uint8Array, steps: readonly StepInput[]): Promise<Uint8Array> {
  const options = { limits: WIDE_LIMITS, lenient: false, threads: 1 };
  const processed = await processImage(
    { kind: 'bytes', bytes: png },
    parseRecipe({ steps: [...steps] }),
    options,
  );
  const [result] = processed?.results ?? [];
  if (result === undefined) throw new Error('no result');
  return result.bytes;
}

/** A PNG of smooth waves of this shape. */
async function sample({ width, height, channels, depth }: Shape): Promise<Uint8Array> {
  const unit = depth === 16 ? 257 : 1;
  const { data } = drawn({ channels, most: 255 * unit }, width, height, (x, y) => {
    const [r, g, b] = waves(x, y);
    return [...(channels < 3 ? [r] : [r, g, b]), ...(channels % 2 === 0 ? [255 - x] : [])].map(
      (value) => value * unit,
    );
  });
  const samples = depth === 16 ? Uint16Array.from(Array.from(data)) : Uint8Array.from(Array.from(data));
  const gray = depth === 16 ? 'grey16' : 'b-w';
  const colour = depth === 16 ? 'rgb16' : 'srgb';
  return sharp(samples, { raw: { width, height, channels } })
    .toColourspace(channels < 3 ? gray : colour)
    .png({ compressionLevel: 1 })
    .toBuffer();
}
