import { writeFile } from 'node:fs/promises';
import { ImgtoolError, toImgtoolError } from '../../errors.js';
import { factsOfSource } from '../../facts.js';
import { type Encoded, type Processed, processImage } from '../../process.js';
import { parseRecipe } from '../../recipe.js';
import { type ProcessWork, type Reply, resultPath, type SentImage, type Work } from './messages.js';
import { refuseOff } from './types-off.js';

/** Does one piece of work and tells its end, good or bad; never throws. */
export async function decode(work: Work, svg: boolean): Promise<Reply> {
  try {
    await refuseOff({ kind: 'path', path: work.path }, svg);
    return await (work.kind === 'size' ? sized(work.path) : processed(work));
  } catch (thrown) {
    const { code, message, stage, field } = toImgtoolError(thrown, 'E_PROCESS', { stage: 'process' });
    // libvips and the file system name the spooled file, which is no business of the caller's
    const said = message.replaceAll(work.path, 'the input');
    return {
      kind: 'failed',
      error: { code, message: said, ...(stage && { stage }), ...(field && { field }) },
    };
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
      async reserve(pixels) {
        if (pixels > work.allowance) {
          bulky = pixels;
          throw new Error('handed back: it needs more pixels than it was allowed');
        }
        return () => undefined;
      },
    });
    return await sent(made, work.results);
  } catch (thrown) {
    if (bulky !== undefined) return { kind: 'bulky', pixels: bulky };
    throw thrown;
  }
}

/** Up to this many bytes a result costs less over the channel than through a file. */
const SENT_AS_BYTES = 256 * 1024;

async function sent(made: Processed | undefined, results: string): Promise<Reply> {
  if (made === undefined) throw new ImgtoolError('E_INTERNAL', 'the picture was left alone');
  const { header, passes, notes } = made;
  const images = await Promise.all(made.results.map((image) => sentImage(image, results)));
  const pixels = header.stored.width * header.stored.height * header.frames;
  return { kind: 'made', images, passes, notes, pixels };
}

async function sentImage({ bytes, ...image }: Encoded, results: string): Promise<SentImage> {
  if (bytes.length <= SENT_AS_BYTES) return { ...image, content: { bytes } };
  const path = resultPath(results, image.index);
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  return { ...image, content: { path } };
}
