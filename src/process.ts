import { FORMATS, type Format } from './codecs/extensions.js';
import { damaged, explainFailure } from './codecs/failure.js';
import { gifIsWhole } from './codecs/gif-blocks.js';
import { type Header, readHeader } from './codecs/header.js';
import { bytesOf, type Input, plainInput } from './codecs/input.js';
import { lengthened } from './codecs/tiff-parts.js';
import { decodeCost } from './cost.js';
import { expected, ImgtoolError, toImgtoolError } from './errors.js';
import { type Group, groupOutputs, type Job, type Target } from './groups.js';
import { checkLimits, type Limits } from './limits.js';
import type { Recipe } from './recipe.js';
import { renderGroup } from './render.js';

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
  /**
   * Told of the header and each result's format before any pixel is decoded; gives the indices of the outputs to
   * make, none of them to leave the picture alone.
   */
  onHeader?(header: Header, formats: readonly Format[]): Promise<readonly number[]>;
  /** Makes the results of a planned picture in another place than this process. */
  elsewhere?(errand: Errand): Promise<Made>;
}

/** A picture that was looked at and planned, its results still to be made. */
export interface Errand {
  readonly input: Input;
  readonly header: Header;
  readonly recipe: Recipe;
  /** By output: the format of the result. */
  readonly formats: readonly Format[];
  /** The indices of the outputs to make. */
  readonly wanted: readonly number[];
  readonly options: ProcessOptions;
}

/** Results, with what the caller should know of them. */
export interface Made {
  readonly results: readonly Encoded[];
  readonly notes: readonly string[];
}

/** One encoded result. Sides are those of one frame, in pixels. */
export interface Encoded {
  /** Which of the recipe's outputs this is. */
  readonly index: number;
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
 * Runs a recipe over one picture: header, plan, limits, passes, encoding. Nothing is written. Several outputs come
 * from one decode at the largest size, unless the recipe says `exact`.
 * Throws an ImgtoolError whose stage is read, decode, process or encode. Undefined when `onHeader` left the picture alone.
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
    const again = await attempt(input, recipe, options, true);
    const note = `damaged, took what could be decoded (${failure.message})`;
    return again && { ...again, notes: [...again.notes, note] };
  }
}

async function attempt(
  given: Input,
  recipe: Recipe,
  options: ProcessOptions,
  lenient: boolean,
): Promise<Processed | undefined> {
  const header = await readHeader(given, recipe);
  const input = lenient ? await rescued(given, header) : await plainInput(given, header.format);
  // before any plan is made of them
  checkLimits(header, 1, options.limits);
  const job: Job = { input, header, recipe, options, lenient };
  if (!lenient) await refuseCutGif(job);
  const groups = groupOutputs(job);
  for (const group of groups) checkGroup(group);
  const targets = groups.flatMap((group) => group.targets).sort((a, b) => a.index - b.index);
  const formats = targets.map(({ format }) => format);
  const wanted = (await options.onHeader?.(header, formats)) ?? targets.map(({ index }) => index);
  if (wanted.length === 0) return undefined;
  const { results, notes } = await (options.elsewhere === undefined
    ? madeHere(job, groups, wanted)
    : options.elsewhere({ input, header, recipe, formats, wanted, options }));
  return {
    header,
    results: [...results].sort((a, b) => a.index - b.index),
    passes: groups.reduce((sum, group) => sum + group.passes.length, 0),
    notes,
  };
}

async function madeHere(job: Job, groups: readonly Group[], wanted: readonly number[]): Promise<Made> {
  const results: Encoded[] = [];
  const notes = new Set<string>();
  for (const group of groups) {
    const targets = group.targets.filter(({ index }) => wanted.includes(index));
    if (targets.length === 0) continue;
    for (const note of targets.flatMap((target) => notesOf(job, group, target))) notes.add(note);
    for (const { image, added } of await makeGroup(job, group, targets)) {
      results.push(image);
      for (const note of added) notes.add(note);
    }
  }
  return { results, notes: [...notes] };
}

/** A cut TIFF with its end filled up; any other input as it is, since its decoder rescues what it can itself. */
async function rescued(input: Input, { format, stored }: Header): Promise<Input> {
  if (format !== 'tiff') return plainInput(input, format);
  const mostBytes = stored.width * stored.height * BYTES_A_PIXEL;
  return { kind: 'bytes', bytes: lengthened(await bytesOf(input), mostBytes) };
}

/** Four channels of 16 bits. */
const BYTES_A_PIXEL = 8;

/** sharp shows the frames before a cut and is content, so the blocks are followed to their end here. */
async function refuseCutGif({ input, header }: Job): Promise<void> {
  if (header.format !== 'gif') return;
  const bytes = await bytesOf(input);
  if (!gifIsWhole(bytes)) throw damaged('gif', 'decode', { bytes });
}

async function makeGroup(
  job: Job,
  group: Group,
  targets: readonly Target[],
): Promise<{ image: Encoded; added: readonly string[] }[]> {
  const release = await job.options.reserve?.(decodeCost(job.header, group.passes, group.frames));
  try {
    return await explained(job, () => renderGroup(job, group, targets));
  } finally {
    release?.();
  }
}

function checkGroup({ targets }: Group): void {
  for (const { format, shape } of targets) {
    const most = LONGEST_SIDE[format] ?? Number.POSITIVE_INFINITY;
    if (Math.max(shape.width, shape.height) <= most) continue;
    const received = `${shape.width}x${shape.height}`;
    throw new ImgtoolError('E_ENCODE', expected(`at most ${most} px a side for ${format}`, received), {
      stage: 'encode',
    });
  }
}

/** The longest side a format can store, in pixels. */
const LONGEST_SIDE: Partial<Record<Format, number>> = {
  webp: 16_383,
  avif: 65_535,
  jpeg: 65_500,
  gif: 65_535,
};

function notesOf(
  { header, recipe }: Job,
  { frames, keepProfile }: Group,
  { format, options }: Target,
): string[] {
  const notes: string[] = [];
  if (options.keepProfile && header.icc !== undefined && !keepProfile)
    notes.push('colours converted to sRGB: the profile does not fit the result');
  if (recipe.frames === 'all' && frames < header.frames)
    notes.push(`took the first of ${header.frames} frames: ${format} holds one`);
  if (!FORMATS[format].alpha && header.shape.channels % 2 === 0)
    notes.push(`transparency laid on ${options.background}`);
  return notes;
}

function cancelled(signal: AbortSignal | undefined): ImgtoolError | undefined {
  if (signal === undefined || !signal.aborted) return undefined;
  return signal.reason instanceof ImgtoolError
    ? signal.reason
    : new ImgtoolError('E_CANCELLED', 'cancelled before it was done');
}

async function explained<T>(job: Job, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw cancelled(job.options.signal) ?? (await explainFailure(thrown, job.input, 'decode'));
  }
}
