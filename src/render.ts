import type { Sharp } from 'sharp';
import { fromPixels, opened, pixelsOf, runPasses } from './canvas.js';
import { type Encoding, encoded } from './codecs/encode.js';
import { extensionOf } from './codecs/extensions.js';
import type { Header } from './codecs/header.js';
import { withMetadata } from './codecs/metadata.js';
import { npy } from './codecs/npy.js';
import { withoutUnusedScans } from './codecs/shrink.js';
import { joinTiffs } from './codecs/tiff-join.js';
import { expected, ImgtoolError } from './errors.js';
import { framePixels } from './frames.js';
import { checkTogether, type Group, groupOutputs, type Job, type Target } from './groups.js';
import { originalNoLarger } from './keep-smaller.js';
import type { Pixels } from './kernels/pixels.js';
import type { Shape, StepContext } from './operations/operation.js';
import { unequalPages, widestOf } from './pages.js';
import type { Encoded } from './process.js';
import type { Recipe } from './recipe.js';

/** One result, with what the caller should know of it. */
export interface Rendered {
  readonly image: Encoded;
  readonly added: readonly string[];
}

/** Makes the wanted results of a group from one decode: a single result in one go, several from the pixels of the largest. */
export async function renderGroup(job: Job, group: Group, targets: readonly Target[]): Promise<Rendered[]> {
  const pages = await unequalPages(job, group.frames);
  if (pages !== undefined)
    return oneByOne(targets, (target) => finished(job, group, target, () => paged(job, target, pages)));
  const [only] = group.targets;
  if (group.targets.length === 1 && group.frames === 1 && only !== undefined)
    return [
      await finished(job, group, only, async () => encode(job, group, only, await firstDecode(job, group))),
    ];
  const frames = await decodedFrames(job, group);
  return oneByOne(targets, (target) =>
    finished(job, group, target, async () =>
      encode(job, group, target, await sized(frames, group, target.shape, iccOf(job, group))),
    ),
  );
}

async function oneByOne<T, R>(list: readonly T[], make: (one: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const one of list) made.push(await make(one));
  return made;
}

/** The picture, or one page of it, with all its passes, the last of them still to be carried out by the encoder. */
async function firstDecode(job: Job, group: Group, page = 0): Promise<Sharp> {
  const { input, header, recipe } = job;
  const [first] = group.passes;
  const light =
    first?.kind === 'draw' ? await withoutUnusedScans(input, header, first, recipe.autoOrient) : input;
  const image = opened(light, header, { first: page, count: 1 }, openingOf(job, group));
  return runPasses(image, group.passes, contextOf(job, group), iccOf(job, group));
}

/** Frames one by one, since sharp would blur and turn them as one strip. */
async function decodedFrames(job: Job, group: Group): Promise<readonly Pixels[]> {
  if (group.frames === 1) return [await pixelsOf(await firstDecode(job, group), group.shape)];
  const icc = iccOf(job, group);
  const frames: Pixels[] = [];
  for await (const frame of framePixels(job.input, job.header, group.frames, openingOf(job, group))) {
    const image = await runPasses(fromPixels(frame, { icc }), group.passes, contextOf(job, group), icc);
    frames.push(await pixelsOf(image, group.shape));
  }
  return frames;
}

/** The frames brought from the size of the largest result to that of another, joined into one strip. */
async function sized(
  frames: readonly Pixels[],
  { shape: from }: Group,
  to: Shape,
  icc: Uint8Array | undefined,
): Promise<Sharp> {
  const same = from.width === to.width && from.height === to.height;
  const smaller = (frame: Pixels): Sharp =>
    fromPixels(frame, { icc }).resize({ width: to.width, height: to.height, fit: 'fill' });
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) return same ? fromPixels(first, { icc }) : smaller(first);
  const strip = joined(
    same ? frames : await Promise.all(frames.map((frame) => pixelsOf(smaller(frame), to))),
  );
  return fromPixels(strip, { pageHeight: strip.height / frames.length, icc });
}

/** Pages of different sizes or kinds, each on its own way through the plan that its size asks for. */
async function paged(job: Job, target: Target, pages: readonly Header[]): Promise<Made> {
  const recipe: Recipe = { ...job.recipe, frames: 'first', outputs: [target.options] };
  const widest = widestOf(pages);
  const plans = pages.flatMap((header) => planOf({ ...job, header, recipe }));
  const pixels = plans.reduce((sum, { group }) => sum + group.shape.width * group.shape.height, 0);
  checkTogether(pixels, `${pages.length} pages of ${pixels / 1e6} megapixels`, job.options.limits);
  const made: Made[] = [];
  const frames: Pixels[] = [];
  for (const [page, { own, group, planned }] of plans.entries()) {
    const image = await firstDecode(own, group, page);
    if (target.format === 'tiff') made.push(await encode(own, group, planned, image));
    else frames.push(await pixelsOf(image, widest));
  }
  const [first] = made;
  if (first !== undefined) return { ...first, bytes: joinTiffs(made.map(({ bytes }) => bytes)) };
  const strip = joined(frames);
  const pageHeight = strip.height / frames.length;
  const group = { frames: frames.length };
  return encode(job, group, { ...target, shape: widest }, fromPixels(strip, { pageHeight }));
}

/** A page of its own size, the one result it is planned to become. */
function planOf(own: Job): { own: Job; group: Group; planned: Target }[] {
  const [group] = groupOutputs(own);
  const [planned] = group?.targets ?? [];
  return group === undefined || planned === undefined ? [] : [{ own, group, planned }];
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

type Made = Pick<Encoded, 'bytes' | 'width' | 'height'>;

async function finished(
  job: Job,
  group: Group,
  target: Target,
  make: () => Promise<Made>,
): Promise<Rendered> {
  const { index, format, options } = target;
  const { frames } = group;
  const made = await make();
  const upright = job.recipe.autoOrient;
  const { bytes, notes } = await withMetadata(made.bytes, format, { ...job, upright }, options.metadata);
  const image = { index, ...made, bytes, format, extension: extensionOf(format), frames };
  const original = options.keepSmaller ? await originalNoLarger(job, group, target, bytes.length) : undefined;
  if (original === undefined) return { image, added: notes };
  return {
    image: { ...image, bytes: original },
    added: [`kept the original: a new file would take ${bytes.length} bytes`],
  };
}

async function encode(
  job: Job,
  { frames }: Pick<Group, 'frames'>,
  { format, options, shape }: Target,
  image: Sharp,
): Promise<Made> {
  if (format === 'npy') {
    const pixels = await pixelsOf(image, shape);
    return { bytes: npy(pixels, options, shape.channels), width: pixels.width, height: pixels.height };
  }
  const { header } = job;
  const encoding: Encoding = { format: format as Encoding['format'], options, header, frames };
  const { data, info } = await encoded(image, shape, encoding).toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.pageHeight ?? info.height };
}

function iccOf({ header }: Job, { keepProfile }: Group): Uint8Array | undefined {
  return keepProfile ? header.icc : undefined;
}

function openingOf({ recipe, options, lenient }: Job, { keepProfile }: Group) {
  return { autoOrient: recipe.autoOrient, lenient, pixels: options.limits.pixels, keepProfile };
}

function contextOf({ options }: Job, { background }: Group): Omit<StepContext, 'shape'> {
  return { background, threads: options.threads, signal: options.signal };
}
