import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Header } from '../../codecs/header.js';
import type { Format } from '../../codecs/extensions.js';
import { FORMATS } from '../../codecs/extensions.js';
import { expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import { factsOfSource } from '../../facts.js';
import type { Limits } from '../../limits.js';
import { type Encoded, type Processed, processImage } from '../../process.js';
import { parseRecipe, type Recipe } from '../../recipe.js';
import { refuseOff } from './loaders.js';
import type { ProcessWork, Reply, SentImage, Work } from './messages.js';

/** Does one piece of work and tells its end, good or bad; never throws. */
export async function decode(work: Work, svg: boolean): Promise<Reply> {
  try {
    await refuseOff({ kind: 'path', path: work.path }, svg);
    return await (work.kind === 'size' ? sized(work.path) : processed(work));
  } catch (thrown) {
    const { code, message, stage, field } = toImgtoolError(thrown, 'E_PROCESS', { stage: 'process' });
    // libvips and the file system name the spooled file, which is no business of the caller's
    const said = message.replaceAll(work.path, 'the input');
    return { kind: 'failed', error: { code, message: said, ...(stage && { stage }), ...(field && { field }) } };
  }
}

async function sized(path: string): Promise<Reply> {
  const source = { name: '-', root: '', relative: '-', argument: 0, explicit: true } as const;
  return { kind: 'sized', facts: await factsOfSource({ ...source, input: { kind: 'path', path } }) };
}

async function processed(work: ProcessWork): Promise<Reply> {
  const recipe = parseRecipe(work.recipe);
  let bulky: number | undefined;
  try {
    const made = await processImage({ kind: 'path', path: work.path }, recipe, {
      limits: work.limits,
      lenient: false,
      threads: 1,
      async onHeader(header, formats) {
        checkOutput(header, formats, recipe, work.limits);
        return formats.map((_, index) => index);
      },
      async reserve(pixels) {
        if (pixels > work.allowance) {
          bulky = pixels;
          throw new Error('handed back: it needs more pixels than it was allowed');
        }
        return () => undefined;
      },
    });
    return await sent(made, work.folder);
  } catch (thrown) {
    if (bulky !== undefined) return { kind: 'bulky', pixels: bulky };
    throw thrown;
  }
}

/** The plan bounds one frame of a result; many frames, and many results, multiply it. */
function checkOutput(header: Header, formats: readonly Format[], recipe: Recipe, limits: Limits): void {
  const shapes = [header.shape];
  for (const step of recipe.steps) shapes.push(step.shape(shapes.at(-1) ?? header.shape));
  const largest = Math.max(...shapes.slice(1).map(({ width, height }) => width * height), 0);
  const last = shapes.at(-1) ?? header.shape;
  const frames = formats.map((format) => framesOf(header, format, recipe));
  const total = frames.reduce((sum, count) => sum + count * last.width * last.height, 0);
  const pixels = Math.max(total, largest * Math.max(...frames));
  if (pixels <= Math.max(limits.outputPixels, limits.pixels)) return;
  throw new ImgtoolError(
    'E_LIMIT_OUTPUT',
    expected(`at most ${limits.outputPixels / 1e6} megapixels out, frames and results summed`, `${pixels / 1e6}`),
    { stage: 'plan' },
  );
}

function framesOf(header: Header, format: Format, { frames }: Recipe): number {
  if (!FORMATS[format].frames || frames === 'first') return 1;
  return frames === 'all' ? header.frames : Math.min(frames, header.frames);
}

/** Up to this many bytes a result costs less over the channel than through a file. */
const SENT_AS_BYTES = 256 * 1024;

async function sent(made: Processed | undefined, folder: string): Promise<Reply> {
  if (made === undefined) throw new ImgtoolError('E_INTERNAL', 'the picture was left alone');
  const { header, passes, notes } = made;
  const images = await Promise.all(made.results.map((image) => sentImage(image, folder)));
  const pixels = header.stored.width * header.stored.height * header.frames;
  return { kind: 'made', images, passes, notes, pixels };
}

async function sentImage({ bytes, ...image }: Encoded, folder: string): Promise<SentImage> {
  if (bytes.length <= SENT_AS_BYTES) return { ...image, content: { bytes } };
  const path = join(folder, `result-${process.pid}-${(count += 1)}`);
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  return { ...image, content: { path } };
}

let count = 0;
