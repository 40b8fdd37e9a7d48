import type { Metadata } from 'sharp';
import sharp from 'sharp';
import type { Shape } from '../operations/operation.js';
import { explainFailure, refusalOf } from './failure.js';
import { headOf } from './head.js';
import { type Input, openable, plainInput } from './input.js';
import { jpegMetadata } from './jpeg-metadata.js';
import { type PictureFormat, SNIFF_BYTES } from './magic.js';

/** What a picture's header says; no pixel is decoded for it. Sides are in pixels. */
export interface Header {
  readonly format: PictureFormat;
  /** One frame, as shown: the EXIF orientation applied, or not where the recipe says so. */
  readonly shape: Shape;
  /** One frame, as stored. */
  readonly stored: { readonly width: number; readonly height: number };
  /** Frames of an animation or pages of a document, at least 1. */
  readonly frames: number;
  /** EXIF orientation, 1 to 8; 1 when there is none. */
  readonly orientation: number;
  readonly space: string;
  /** Pixels per inch, when the file says so. */
  readonly density: number | undefined;
  readonly progressive: boolean;
  /** Number of bits of a palette's indices, when there is a palette. */
  readonly palette: number | undefined;
  readonly lossless: boolean;
  readonly animation: { readonly delay: readonly number[]; readonly loop: number } | undefined;
  readonly icc: Uint8Array | undefined;
  readonly exif: Uint8Array | undefined;
  readonly xmp: Uint8Array | undefined;
  readonly iptc: Uint8Array | undefined;
}

/**
 * Reads a picture's header, or that of one page (from 0 on) of a TIFF.
 * Throws E_EMPTY, E_UNSUPPORTED, E_DECODE or what the file system says.
 */
export async function readHeader(
  input: Input,
  options: { readonly autoOrient: boolean; readonly page?: number } = { autoOrient: true },
): Promise<Header> {
  try {
    const { autoOrient, page } = options;
    const bytes = await headOf(input, HEADER_BYTES);
    const known = page === undefined ? jpegMetadata(bytes) : undefined;
    if (known !== undefined) return { ...factsOf(known, autoOrient), format: 'jpeg', lossless: false };
    const head = bytes.subarray(0, SNIFF_BYTES);
    const refusal = refusalOf(head);
    if (refusal !== undefined) throw refusal;
    const metadata = await metadataOf(await plainInput(input), page);
    const format = formatOf(metadata);
    const lossless = format === 'webp' && isLosslessWebp(head);
    return { ...factsOf(metadata, autoOrient), format, lossless };
  } catch (thrown) {
    throw await explainFailure(thrown, input, 'decode');
  }
}

/** Where nearly all photographs have come to their first scan: a preview and a profile lie before it. */
const HEADER_BYTES = 65_536;

/** What is asked of sharp's metadata; a JPEG's are read here. */
type Told = Pick<Metadata, 'width' | 'height' | 'space' | 'depth' | 'hasAlpha'> & Partial<Metadata>;

async function metadataOf(input: Input, page: number | undefined): Promise<Metadata> {
  const options = { limitInputPixels: false, failOn: 'none', ...(page !== undefined && { page }) } as const;
  const metadata = await sharp(openable(input), options).metadata();
  if (metadata.format === 'heif' && metadata.compression !== 'av1')
    throw new Error('unsupported image format');
  return metadata;
}

function formatOf(metadata: Metadata): PictureFormat {
  return metadata.format === 'heif' ? 'avif' : (metadata.format as PictureFormat);
}

function factsOf(metadata: Told, autoOrient: boolean): Omit<Header, 'format' | 'lossless'> {
  const { width } = metadata;
  const height = metadata.pageHeight ?? metadata.height;
  const orientation = metadata.orientation ?? 1;
  const turned = autoOrient && orientation >= 5;
  const shape = {
    width: turned ? height : width,
    height: turned ? width : height,
    channels: channelsOf(metadata),
    depth: depthOf(metadata),
  };
  const { delay, loop, exif, icc, xmp, iptc } = metadata;
  return {
    shape,
    stored: { width, height },
    frames: metadata.pages ?? 1,
    orientation,
    space: metadata.space,
    density: metadata.density,
    progressive: metadata.isProgressive ?? false,
    palette: metadata.isPalette ? (metadata.bitsPerSample ?? 8) : undefined,
    animation: delay === undefined ? undefined : { delay, loop: loop ?? 0 },
    icc,
    exif,
    xmp,
    iptc,
  };
}

/** Channels after conversion to gray or sRGB: CMYK's four become three. */
function channelsOf({ space, hasAlpha }: Told): Shape['channels'] {
  const gray = space === 'b-w' || space === 'grey16';
  if (gray) return hasAlpha ? 2 : 1;
  return hasAlpha ? 4 : 3;
}

function depthOf({ space, depth }: Told): 8 | 16 {
  return depth === 'ushort' && (space === 'rgb16' || space === 'grey16') ? 16 : 8;
}

/** VP8L is the lossless bitstream of WebP (RFC 9649); extended files hold it in a later chunk. */
function isLosslessWebp(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes);
  const kind = head.toString('latin1', 12, 16);
  return kind === 'VP8L' || (kind === 'VP8X' && head.includes('VP8L') && !head.includes('VP8 '));
}
