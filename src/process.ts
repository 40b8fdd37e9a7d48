import type { Sharp } from 'sharp';
import { fromPixels, type Opening, opened, pixelsOf, runPasses } from './canvas.js';
import { type Encoding, encoded, outputFormat } from './codecs/encode.js';
import { extensionOf, FORMATS, type Format } from './codecs/extensions.js';
import { explainFailure } from './codecs/failure.js';
import { type Header, readHeader } from './codecs/header.js';
import type { Input } from './codecs/input.js';
import { withMetadata } from './codecs/metadata.js';
import { npy } from './codecs/npy.js';
import { withoutUnusedScans } from './codecs/shrink.js';
import { decodeCost } from './cost.js';
import { expected, ImgtoolError, toImgtoolError } from './errors.js';
import { framePixels } from './frames.js';
import type { Pixels } from './kernels/pixels.js';
import { checkLimits, type Limits } from './limits.js';
import type { Shape, StepContext } from './operations/operation.js';
import { type Pass, planPasses } from './plan.js';
import type { OutputOptions, Recipe } from './recipe.js';

/** How a picture is processed, beside its recipe. */
export interface ProcessOptions {
  readonly limits: Limits;
  /** Take what decodes of a damaged picture, and say so. */
  readonly lenient: boolean;
  /** Threads a kernel may use. */
  readonly threads: number;
  readonly signal?: AbortSignal;
  /** Waits until so many pixels may be held in memory, and gives the function that frees them. */
  reserve?(pixels: number): Promise<() => void>;
  /** Told of the header and the result's format before any pixel is decoded; false leaves the picture alone. */
  onHeader?(header: Header, format: Format): Promise<boolean>;
}

/** One encoded result. Sides are those of one frame, in pixels. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly format: Format;
  /** Without the dot. */
  readonly extension: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/** What became of one picture. */
export interface Processed {
  readonly header: Header;
  readonly results: readonly Encoded[];
  /** Trips through the decoder and the kernels that the recipe took. */
  readonly passes: number;
  /** What the caller should know: frames left out, alpha flattened, damage. */
  readonly notes: readonly string[];
}

/**
 * Runs a recipe over one picture: header, plan, limits, passes, encoding. Nothing is written.
 * Throws an ImgtoolError whose stage is read, decode, process or encode.
 */
export async function processImage(
  input: Input,
  recipe: Recipe,
  options: ProcessOptions,
): Promise<Processed | undefined> {
  try {
    return await attempt(input, recipe, options, false);
  } catch (thrown) {
    const failure = cancelled(options.signal) ?? toImgtoolError(thrown, 'E_PROCESS', { stage: 'process' });
    if (!options.lenient || failure.code !== 'E_DECODE') throw failure;
    const rescued = await attempt(input, recipe, options, true);
    return (
      rescued && {
        ...rescued,
        notes: [...rescued.notes, `damaged, took what could be decoded (${failure.message})`],
      }
    );
  }
}

function cancelled(signal: AbortSignal | undefined): ImgtoolError | undefined {
  if (signal === undefined || !signal.aborted) return undefined;
  return signal.reason instanceof ImgtoolError
    ? signal.reason
    : new ImgtoolError('E_CANCELLED', 'cancelled before it was done');
}

/** One picture, its header read, on its way to one result. */
interface Job {
  readonly input: Input;
  readonly header: Header;
  readonly recipe: Recipe;
  readonly output: OutputOptions;
  readonly format: Format;
  /** Number of frames taken. */
  readonly frames: number;
  readonly opening: Opening;
  readonly options: ProcessOptions;
}

async function attempt(
  input: Input,
  recipe: Recipe,
  options: ProcessOptions,
  lenient: boolean,
): Promise<Processed | undefined> {
  const job = jobFor(input, await readHeader(input, recipe), recipe, options, lenient);
  const { header, format, frames } = job;
  checkLimits(header, frames, options.limits);
  const passes = planPasses(recipe.steps, header.shape, options.limits);
  checkSides(passes, format);
  if ((await options.onHeader?.(header, format)) === false) return undefined;
  const release = await options.reserve?.(decodeCost(header, passes, frames));
  try {
    const raw = await (frames === 1 ? single(job, passes) : animated(job, passes));
    const { bytes, notes } = await withMetadata(raw.bytes, format, job, job.output.metadata);
    const result: Encoded = { ...raw, bytes, format, extension: extensionOf(format), frames };
    return { header, results: [result], passes: passes.length, notes: [...notesOf(job), ...notes] };
  } finally {
    release?.();
  }
}

function jobFor(
  input: Input,
  header: Header,
  recipe: Recipe,
  options: ProcessOptions,
  lenient: boolean,
): Job {
  const [output] = recipe.outputs;
  const format = outputFormat(output.format, header);
  const wanted = recipe.frames === 'all' ? header.frames : recipe.frames === 'first' ? 1 : recipe.frames;
  const frames = FORMATS[format].frames ? Math.min(wanted, header.frames) : 1;
  const opening = {
    autoOrient: recipe.autoOrient,
    lenient,
    pixels: options.limits.pixels,
    keepProfile: output.keepProfile,
  };
  return { input, header, recipe, output, format, frames, opening, options };
}

function notesOf({ header, frames, format, recipe, output }: Job): string[] {
  const notes: string[] = [];
  if (recipe.frames === 'all' && frames < header.frames)
    notes.push(`took the first of ${header.frames} frames: ${format} holds one`);
  if (!FORMATS[format].alpha && header.shape.channels % 2 === 0)
    notes.push(`transparency laid on ${output.background}`);
  return notes;
}

/** The longest side a format can store, in pixels. */
const LONGEST_SIDE: Partial<Record<Format, number>> = {
  webp: 16_383,
  avif: 65_535,
  jpeg: 65_500,
  gif: 65_535,
};

function checkSides(passes: readonly Pass[], format: Format): void {
  const shape = passes.at(-1)?.after;
  const most = LONGEST_SIDE[format] ?? Number.POSITIVE_INFINITY;
  if (shape === undefined || Math.max(shape.width, shape.height) <= most) return;
  throw new ImgtoolError(
    'E_ENCODE',
    expected(`at most ${most} px a side for ${format}`, `${shape.width}x${shape.height}`),
    { stage: 'encode' },
  );
}

type Raw = Pick<Encoded, 'bytes' | 'width' | 'height'>;

async function single(job: Job, passes: readonly Pass[]): Promise<Raw> {
  const [first] = passes;
  const lighter =
    first?.kind === 'draw'
      ? await withoutUnusedScans(job.input, job.header, first, job.opening.autoOrient)
      : job.input;
  const image = opened(lighter, job.header, { first: 0, count: 1 }, job.opening);
  return explained(job, async () =>
    encode(job, await runPasses(image, passes, contextOf(job)), shapeAfter(job, passes)),
  );
}

/** Frames one by one, since sharp would blur and turn them as one strip, then joined. */
async function animated(job: Job, passes: readonly Pass[]): Promise<Raw> {
  const context = contextOf(job);
  const shape = shapeAfter(job, passes);
  const frames: Pixels[] = [];
  return explained(job, async () => {
    for await (const frame of framePixels(job.input, job.header, job.frames, job.opening)) {
      frames.push(await pixelsOf(await runPasses(fromPixels(frame), passes, context), shape));
    }
    const strip = joined(frames);
    return encode(job, fromPixels(strip, strip.height / frames.length), shape);
  });
}

function joined(frames: readonly Pixels[]): Pixels {
  const [first] = frames;
  if (first === undefined)
    throw new ImgtoolError('E_DECODE', expected('at least one frame', 'none'), { stage: 'decode' });
  const odd = frames.find((frame) => frame.width !== first.width || frame.height !== first.height);
  if (odd !== undefined) {
    const sizes = `${first.width}x${first.height} and ${odd.width}x${odd.height}`;
    throw new ImgtoolError(
      'E_ENCODE',
      `${expected('pages of one size', sizes)}; scale to one size, or take --frames first`,
      { stage: 'encode' },
    );
  }
  return { ...first, height: first.height * frames.length, data: concatenated(frames) };
}

function concatenated(frames: readonly Pixels[]): Pixels['data'] {
  const length = frames.reduce((sum, frame) => sum + frame.data.length, 0);
  const data = frames[0]?.data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    data.set(frame.data, at);
    at += frame.data.length;
  }
  return data;
}

async function encode(job: Job, image: Sharp, shape: Shape): Promise<Raw> {
  if (job.format === 'npy') {
    const pixels = await pixelsOf(image, shape);
    return { bytes: npy(pixels, job.output), width: pixels.width, height: pixels.height };
  }
  const { format, output, header, frames } = job;
  const encoding: Encoding = { format: format as Encoding['format'], options: output, header, frames };
  const { data, info } = await encoded(image, shape, encoding).toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.pageHeight ?? info.height };
}

function shapeAfter(job: Job, passes: readonly Pass[]): Shape {
  return passes.at(-1)?.after ?? job.header.shape;
}

function contextOf({ format, output, options }: Job): Omit<StepContext, 'shape'> {
  const background = FORMATS[format].alpha ? 'transparent' : output.background;
  return { background, threads: options.threads, signal: options.signal };
}

async function explained<T>(job: Job, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw cancelled(job.options.signal) ?? (await explainFailure(thrown, job.input, 'decode'));
  }
}
