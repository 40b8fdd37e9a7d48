import type { Sharp } from 'sharp';
import type { Shape } from '../operations/operation.js';
import { hex } from '../operations/params.js';
import type { OutputOptions } from '../recipe.js';
import { FORMATS, type Format } from './extensions.js';
import type { Header } from './header.js';

/** The format a result gets: the one asked for, or the input's own where this build can write it, else PNG. */
export function outputFormat(asked: OutputOptions['format'], header: Pick<Header, 'format'>): Format {
  if (asked === 'auto') return 'webp';
  if (asked !== 'keep') return asked;
  return FORMATS[header.format].writes ? header.format : 'png';
}

/** Everything that settles one result's bytes beside its pixels. */
export interface Encoding {
  readonly format: Exclude<Format, 'npy' | 'svg' | 'pdf'>;
  readonly options: OutputOptions;
  readonly header: Header;
  /** Number of frames of the result. */
  readonly frames: number;
}

/** Sets sharp to encode a picture of this shape. */
export function encoded(image: Sharp, shape: Shape, encoding: Encoding): Sharp {
  const { alpha, depth16 } = FORMATS[encoding.format];
  const flat = alpha ? image : image.flatten({ background: hex(encoding.options.background) });
  return ENCODERS[encoding.format](flat.toColourspace(colourspace(shape, depth16)), encoding);
}

/** The colour space sharp must be told, since it makes 8-bit sRGB of everything by default. */
export function colourspace(shape: Shape, depth16: boolean): 'b-w' | 'grey16' | 'srgb' | 'rgb16' {
  const deep = depth16 && shape.depth === 16;
  if (shape.channels < 3) return deep ? 'grey16' : 'b-w';
  return deep ? 'rgb16' : 'srgb';
}

type Encoder = (image: Sharp, encoding: Encoding) => Sharp;

const ENCODERS: Readonly<Record<Encoding['format'], Encoder>> = {
  jpeg: (image, { options }) =>
    image.jpeg({ quality: options.quality ?? 80, progressive: options.progressive }),
  png: (image, { options, header }) =>
    image.png({
      progressive: options.progressive,
      ...(keepsPalette(options, header) && { palette: true, colours: 2 ** (header.palette ?? 8) }),
      // no quality: sharp would take it as the wish for a palette, and throw colours and 16 bits away
    }),
  webp: (image, { options, header, frames }) =>
    image.webp({
      quality: options.quality ?? 80,
      lossless: options.lossless ?? (options.format === 'keep' && header.lossless),
      ...bounded(options.effort, 6),
      ...animation(header, frames),
    }),
  avif: (image, { options }) =>
    image.avif({
      quality: options.quality ?? 50,
      lossless: options.lossless ?? false,
      effort: Math.min(options.effort ?? 4, 9),
    }),
  gif: (image, { options, header, frames }) =>
    image.gif({ ...bounded(options.effort, 10, 1), ...animation(header, frames) }),
  tiff: (image, { options, header }) =>
    image.tiff({
      compression: 'deflate',
      predictor: 'horizontal',
      ...(options.quality !== undefined && {
        compression: 'jpeg',
        quality: options.quality,
        predictor: 'none',
      }),
      ...(header.density !== undefined && {
        xres: header.density / MILLIMETRES_AN_INCH,
        yres: header.density / MILLIMETRES_AN_INCH,
      }),
    }),
};

const MILLIMETRES_AN_INCH = 25.4;

function keepsPalette(options: OutputOptions, header: Header): boolean {
  return options.format === 'keep' && header.format === 'png' && header.palette !== undefined;
}

function bounded(effort: number | undefined, most: number, least = 0): { effort?: number } {
  return effort === undefined ? {} : { effort: Math.max(least, Math.min(effort, most)) };
}

function animation(header: Header, frames: number): { delay?: number[]; loop?: number } {
  if (header.animation === undefined || frames === 1) return {};
  return { delay: header.animation.delay.slice(0, frames), loop: header.animation.loop };
}
