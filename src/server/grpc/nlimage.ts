import { sniff } from '../../codecs/magic.js';
import { expected, ImgtoolError } from '../../errors.js';
import type { Facts } from '../../facts.js';
import { parseRecipe, type RecipeInput } from '../../recipe.js';
import type { ImageService, ServedImage } from '../service.js';
import { type Doors, type Traffic, unary } from './calls.js';
import type { NLImage, NLImageRotateRequest } from './messages.js';
import { pixelsOfNpy, tiffOfPixels } from './raw-pixels.js';

type Step = NonNullable<RecipeInput['steps']>[number];

/** Degrees clockwise, as `rotate` takes them; the service's own are counter-clockwise. */
const ANGLES: Readonly<Record<string, number>> = {
  NONE: 0,
  NINETY_DEG: -90,
  ONE_EIGHTY_DEG: 180,
  TWO_SEVENTY_DEG: -270,
};

/** `RotateImage` and `MeanFilter`, over the same pipeline as everything else. */
export function nlimageMethods(doors: Doors) {
  const { service } = doors;
  return {
    rotateImage: unary<NLImageRotateRequest, NLImage>(doors, async ({ rotation, image }, signal, traffic) => {
      const angle = ANGLES[rotation];
      if (angle === undefined) throw invalid('a known rotation', `${rotation}`, 'rotation');
      const steps = angle === 0 ? [] : [{ op: 'rotate', angle }];
      return made(service, required(image), steps, signal, traffic);
    }),
    meanFilter: unary<NLImage, NLImage>(doors, (image, signal, traffic) =>
      made(service, image, [{ op: 'mean', size: 3, rounding: 'floor' }], signal, traffic),
    ),
  };
}

async function made(
  service: ImageService,
  image: NLImage,
  steps: readonly Step[],
  signal: AbortSignal,
  traffic: Traffic,
): Promise<NLImage> {
  traffic.bytesIn = image.data.length;
  const raw = await isRaw(service, image, signal);
  if (steps.length === 0) return raw ? image : unchanged(service, image, signal);
  const recipe = parseRecipe({
    steps: [...steps],
    // pixels have no orientation; a picture's is applied, and pictures that hold several frames give the first
    frames: 'first',
    outputs: [{ format: raw ? 'npy' : 'keep' }],
  });
  const bytes = raw ? tiffOfPixels({ ...image, channels: image.color ? 3 : 1 }) : [image.data];
  const upload = await service.spool.write(bytes, service.limits.bytes, signal);
  try {
    const { images } = await service.process(upload, recipe, signal);
    const answer = answered(images[0], image, raw);
    traffic.bytesOut = answer.data.length;
    return answer;
  } finally {
    upload.release();
  }
}

/** An encoded picture as it is, with the sides that its header tells. */
async function unchanged(service: ImageService, image: NLImage, signal: AbortSignal): Promise<NLImage> {
  const { width, height } = await factsOf(service, image.data, signal);
  return { ...image, width, height };
}

async function factsOf(service: ImageService, data: Uint8Array, signal: AbortSignal): Promise<Facts> {
  const upload = await service.spool.write([data], service.limits.bytes, signal);
  try {
    return await service.size(upload, signal);
  } finally {
    upload.release();
  }
}

function answered(result: ServedImage, { color }: NLImage, raw: boolean): NLImage {
  const { width, height, bytes } = result;
  return { color, width, height, data: raw ? pixelsOfNpy(bytes) : bytes };
}

/**
 * Raw when the length says so, else JPEG or PNG by their magic. Where both could be meant, only PNG's whole signature,
 * or a JPEG whose own header says the same sides, make it encoded. Throws E_USAGE when it is neither.
 */
async function isRaw(service: ImageService, { color, data, width, height }: NLImage, signal: AbortSignal) {
  const fits = width > 0 && height > 0 && data.length === width * height * (color ? 3 : 1);
  const type = sniff(data.subarray(0, 64));
  const encoded = type === 'png' || type === 'jpeg';
  if (!fits && encoded) return false;
  if (!fits) {
    const sides = `${data.length} bytes for ${width}x${height} in ${color ? 'color' : 'gray'}`;
    throw invalid('pixels of the stated size, or a JPEG or PNG', sides, 'data');
  }
  if (!encoded) return true;
  return type === 'png' ? false : !(await saysSides(service, data, width, height, signal));
}

async function saysSides(
  service: ImageService,
  data: Uint8Array,
  width: number,
  height: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { stored } = await factsOf(service, data, signal);
    return stored.width === width && stored.height === height;
  } catch (thrown) {
    if (thrown instanceof ImgtoolError && ['E_DECODE', 'E_UNSUPPORTED'].includes(thrown.code)) return false;
    throw thrown;
  }
}

function required(image: NLImage | null): NLImage {
  if (image === null) throw invalid('an image', 'none', 'image');
  return image;
}

function invalid(wanted: string, received: string, field: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected(wanted, received), { field });
}
