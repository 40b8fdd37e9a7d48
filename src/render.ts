import type { Sharp } from 'sharp';
import { fromPixels, opened, pixelsOf, runPasses } from './canvas.js';
import { type Encoding, encoded } from './codecs/encode.js';
import { extensionOf } from './codecs/extensions.js';
import { withMetadata } from './codecs/metadata.js';
import { npy } from './codecs/npy.js';
import { withoutUnusedScans } from './codecs/shrink.js';
import { expected, ImgtoolError } from './errors.js';
import { framePixels } from './frames.js';
import type { Group, Job, Target } from './groups.js';
import type { Pixels } from './kernels/pixels.js';
import type { Shape, StepContext } from './operations/operation.js';
import type { Encoded } from './process.js';

/** One result, with what the caller should know of it. */
export interface Rendered {
  readonly image: Encoded;
  readonly added: readonly string[];
}

/** Makes the wanted results of a group from one decode: a single result in one go, several from the pixels of the largest. */
export async function renderGroup(job: Job, group: Group, targets: readonly Target[]): Promise<Rendered[]> {
  const [only] = group.targets;
  if (group.targets.length === 1 && group.frames === 1 && only !== undefined) {
    return [await finished(job, group, only, await firstDecode(job, group))];
  }
  const frames = await decodedFrames(job, group);
  const results: Rendered[] = [];
  for (const target of targets) {
    results.push(await finished(job, group, target, await sized(frames, group.shape, target.shape)));
  }
  return results;
}

/** The picture with all its passes, the last of them still to be carried out by the encoder. */
async function firstDecode(job: Job, group: Group): Promise<Sharp> {
  const { input, header, recipe } = job;
  const [first] = group.passes;
  const light =
    first?.kind === 'draw' ? await withoutUnusedScans(input, header, first, recipe.autoOrient) : input;
  const image = opened(light, header, { first: 0, count: 1 }, openingOf(job, group));
  return runPasses(image, group.passes, contextOf(job, group));
}

/** Frames one by one, since sharp would blur and turn them as one strip. */
async function decodedFrames(job: Job, group: Group): Promise<readonly Pixels[]> {
  if (group.frames === 1) return [await pixelsOf(await firstDecode(job, group), group.shape)];
  const frames: Pixels[] = [];
  for await (const frame of framePixels(job.input, job.header, group.frames, openingOf(job, group))) {
    const image = await runPasses(fromPixels(frame), group.passes, contextOf(job, group));
    frames.push(await pixelsOf(image, group.shape));
  }
  return frames;
}

/** The frames brought from the size of the largest result to that of another, joined into one strip. */
async function sized(frames: readonly Pixels[], from: Shape, to: Shape): Promise<Sharp> {
  const same = from.width === to.width && from.height === to.height;
  const smaller = (frame: Pixels): Sharp =>
    fromPixels(frame).resize({ width: to.width, height: to.height, fit: 'fill' });
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) return same ? fromPixels(first) : smaller(first);
  const strip = joined(
    same ? frames : await Promise.all(frames.map((frame) => pixelsOf(smaller(frame), to))),
  );
  return fromPixels(strip, strip.height / frames.length);
}

function joined(frames: readonly Pixels[]): Pixels {
  const [first] = frames;
  if (first === undefined)
    throw new ImgtoolError('E_DECODE', expected('at least one frame', 'none'), { stage: 'decode' });
  const odd = frames.find((frame) => frame.width !== first.width || frame.height !== first.height);
  if (odd !== undefined) {
    const sizes = `${first.width}x${first.height} and ${odd.width}x${odd.height}`;
    const hint = 'scale to one size, or take --frames first';
    throw new ImgtoolError('E_ENCODE', `${expected('pages of one size', sizes)}; ${hint}`, {
      stage: 'encode',
    });
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

async function finished(job: Job, group: Group, target: Target, image: Sharp): Promise<Rendered> {
  const { index, format, options } = target;
  const raw = await encode(job, group, target, image);
  const { bytes, notes } = await withMetadata(raw.bytes, format, job, options.metadata);
  const { frames } = group;
  return { image: { index, ...raw, bytes, format, extension: extensionOf(format), frames }, added: notes };
}

async function encode(
  job: Job,
  group: Group,
  { format, options, shape }: Target,
  image: Sharp,
): Promise<Pick<Encoded, 'bytes' | 'width' | 'height'>> {
  if (format === 'npy') {
    const pixels = await pixelsOf(image, shape);
    return { bytes: npy(pixels, options), width: pixels.width, height: pixels.height };
  }
  const { header } = job;
  const encoding: Encoding = { format: format as Encoding['format'], options, header, frames: group.frames };
  const { data, info } = await encoded(image, shape, encoding).toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.pageHeight ?? info.height };
}

function openingOf({ recipe, options, lenient }: Job, { keepProfile }: Group) {
  return { autoOrient: recipe.autoOrient, lenient, pixels: options.limits.pixels, keepProfile };
}

function contextOf({ options }: Job, { background }: Group): Omit<StepContext, 'shape'> {
  return { background, threads: options.threads, signal: options.signal };
}
