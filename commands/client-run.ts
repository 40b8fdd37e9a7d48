import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Interfaces } from '@oclif/core';
import { FORMATS } from '../src/codecs/extensions.js';
import type { Header } from '../src/codecs/header.js';
import type { Input } from '../src/codecs/input.js';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { writeWhole } from '../src/io/write.js';
import { WIDE_LIMITS } from '../src/limits.js';
import { processImage } from '../src/process.js';
import { type OutputOptions, parseRecipe } from '../src/recipe.js';
import type { NLImage } from '../src/server/grpc/messages.js';
import { type NLImageClient, nlimageClient, ROTATIONS } from '../src/server/grpc/nlimage-client.js';
import { pixelsOfNpy, plainPixels, tiffOfPixels } from '../src/server/grpc/raw-pixels.js';
import { tuneEngine } from '../src/versions.js';
import type { ClientCommand } from './client.js';
import { shown } from './terminal/reporter.js';
import { printable, say } from './terminal/streams.js';

type ClientFlags = Interfaces.InferredFlags<typeof ClientCommand.flags>;

/** Sends a picture, has it turned and smoothed there, and writes what comes back as `processed_NAME`. */
export async function runClient(flags: ClientFlags): Promise<void> {
  tuneEngine();
  const { input, output } = flags;
  try {
    const picture = await decoded(input);
    const client = nlimageClient({ target: `${flags.host}:${flags.port}` }, flags['timeout-ms']);
    const image = flags.encoded ? await asItIs(input) : picture.image;
    const answer = await processed(client, image, flags).finally(() => client.close());
    const path = join(output, `processed_${basename(input)}`);
    await writeWhole(path, await file(answer, picture.header));
    say(printable(`wrote ${shown(path)}, ${answer.width}x${answer.height}`));
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { file: input });
  }
}

async function processed(client: NLImageClient, image: NLImage, flags: ClientFlags): Promise<NLImage> {
  const rotation = ROTATIONS.find((known) => known === flags.rotate) ?? 'NONE';
  // with nothing to do at all the server is still asked, as its own client does
  const turned = rotation === 'NONE' && flags.mean ? image : await client.rotate(image, rotation);
  return flags.mean ? client.mean(turned) : turned;
}

async function decoded(path: string): Promise<{ header: Header; image: NLImage }> {
  const made = await run({ kind: 'path', path }, 'npy');
  const { width, height } = made.image;
  const { channels, depth } = made.header.shape;
  const { data, channels: kept } = plainPixels(pixelsOfNpy(made.image.bytes), {
    width,
    height,
    channels,
    depth,
  });
  return { header: made.header, image: { color: kept === 3, data, width, height } };
}

async function asItIs(path: string): Promise<NLImage> {
  return { color: true, data: await readFile(path), width: 0, height: 0 };
}

/** Pixels as a file of the input's format; what comes encoded is a file already. */
async function file({ color, data, width, height }: NLImage, { format }: Header): Promise<Uint8Array> {
  const channels = color ? 3 : 1;
  if (data.length !== width * height * channels) return data;
  const bytes = Buffer.concat(tiffOfPixels({ data, width, height, channels }));
  const target = FORMATS[format].writes ? (format as OutputOptions['format']) : 'png';
  const { image } = await run({ kind: 'bytes', bytes }, target);
  return image.bytes;
}

async function run(input: Input, format: OutputOptions['format']) {
  const recipe = parseRecipe({ frames: 'first', outputs: [{ format }] });
  const made = await processImage(input, recipe, { limits: WIDE_LIMITS, lenient: false, threads: 1 });
  const image = made?.results[0];
  if (made === undefined || image === undefined)
    throw new ImgtoolError('E_INTERNAL', expected('a result', 'none'));
  return { header: made.header, image };
}
