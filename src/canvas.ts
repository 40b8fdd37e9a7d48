import sharp, { type Sharp } from 'sharp';
import { colourspace } from './codecs/encode.js';
import type { Header } from './codecs/header.js';
import { type Input, openable } from './codecs/input.js';
import { taggedPixels } from './codecs/tagged-pixels.js';
import type { Pixels } from './kernels/pixels.js';
import type { Shape, StepContext } from './operations/operation.js';
import type { DrawPass, Pass } from './plan.js';

/** How the first pass reads a picture. */
export interface Opening {
  readonly autoOrient: boolean;
  /** Decode what can be decoded of a damaged picture. */
  readonly lenient: boolean;
  /** Most pixels that may be decoded, all frames together. */
  readonly pixels: number;
  /** Leave pixels in the picture's own colour space, its profile with them. */
  readonly keepProfile: boolean;
}

/** Which frames to read: `count` of them from `first` on, as one strip. */
export interface FrameRange {
  readonly first: number;
  readonly count: number;
}

/** Opens a picture for its first pass. */
export function opened(input: Input, header: Header, { first, count }: FrameRange, opening: Opening): Sharp {
  const image = sharp(openable(input), {
    failOn: opening.lenient ? 'none' : 'warning',
    limitInputPixels: opening.pixels,
    autoOrient: opening.autoOrient && count === 1,
    ...(header.frames > 1 && { page: first, pages: count }),
  });
  if (opening.keepProfile) return image.keepIccProfile();
  // 16-bit pixels with a profile are converted to P3 on the way in, and come out as sRGB only when told so
  const deepAndTagged = header.shape.depth === 16 && header.icc !== undefined;
  return deepAndTagged ? image.withIccProfile('srgb', { attach: false }) : image;
}

/** How raw pixels go into a next pass. */
export interface Carried {
  /** Height in pixels of one frame of a strip. */
  readonly pageHeight?: number;
  /** The ICC profile that says how the pixels are meant, when it is to be kept. */
  readonly icc?: Uint8Array | undefined;
}

/** Raw pixels as a picture for a next pass. */
export function fromPixels(pixels: Pixels, { pageHeight, icc }: Carried = {}): Sharp {
  const { data, width, height, channels } = pixels;
  if (icc !== undefined) {
    const file = taggedPixels(pixels, icc, pageHeight);
    return sharp(file, { limitInputPixels: false, pages: -1 }).keepIccProfile();
  }
  return sharp(data, {
    limitInputPixels: false,
    raw: { width, height, channels, ...(pageHeight !== undefined && { pageHeight }) },
  });
}

/** Decodes to raw pixels. Gray with alpha travels as RGB with alpha, because sharp's raw output of two channels drops the second. */
export async function pixelsOf(image: Sharp, shape: Shape): Promise<Pixels> {
  const carrier: Shape = shape.channels === 2 ? { ...shape, channels: 4 } : shape;
  const { data, info } = await image
    .toColourspace(colourspace(carrier, true))
    .raw({ depth: shape.depth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return { data: shape.depth === 16 ? words(data) : data, width, height, channels };
}

/** Runs all passes but the encoding: what comes back is a picture with its last draw pass still to be carried out. */
export async function runPasses(
  first: Sharp,
  passes: readonly Pass[],
  context: Omit<StepContext, 'shape'>,
  icc?: Uint8Array,
): Promise<Sharp> {
  let image = first;
  let undrawn = true;
  let shape: Shape | undefined;
  for (const pass of passes) {
    context.signal?.throwIfAborted();
    if (pass.kind === 'kernel') {
      const pixels = await pass.kernel(await pixelsOf(image, pass.shape), { ...context, shape: pass.shape });
      image = fromPixels(pixels, { icc });
      undrawn = true;
    } else {
      image = drawn(
        undrawn || shape === undefined ? image : fromPixels(await pixelsOf(image, shape), { icc }),
        pass,
        context,
      );
      undrawn = false;
    }
    shape = pass.after;
  }
  return image;
}

function drawn(image: Sharp, pass: DrawPass, context: Omit<StepContext, 'shape'>): Sharp {
  return pass.steps.reduce((drawing, step) => step.draw(drawing, { ...context, shape: step.shape }), image);
}

/** 16-bit samples over the same memory when it is aligned, else over a copy. */
function words(bytes: Buffer): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}
