import { stat } from 'node:fs/promises';
import { type Header, readHeader } from './codecs/header.js';
import type { PictureFormat } from './codecs/magic.js';
import { toImgtoolError } from './errors.js';
import type { LocalSource } from './io/source.js';

/** What `size` tells of a picture; no pixel is decoded for it. Sides are in pixels. */
export interface Facts {
  readonly source: string;
  readonly format: PictureFormat;
  /** As shown: the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly stored: { readonly width: number; readonly height: number };
  readonly pages: number;
  /** Bits a channel. */
  readonly depth: 8 | 16;
  readonly channels: number;
  readonly space: string;
  readonly alpha: boolean;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  /** Pixels per inch, or null when the file does not say. */
  readonly density: number | null;
  readonly bytes: number;
}

/** Reads the facts of one picture from its header. */
export async function factsOfSource({ input, name }: LocalSource, autoOrient = true): Promise<Facts> {
  try {
    const header = await readHeader(input, { autoOrient });
    const bytes = input.kind === 'bytes' ? input.bytes.length : (await stat(input.path)).size;
    return { source: name, ...factsFrom(header), bytes };
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read', file: name });
  }
}

function factsFrom({
  format,
  shape,
  stored,
  frames,
  space,
  orientation,
  density,
}: Header): Omit<Facts, 'source' | 'bytes'> {
  const { width, height, depth, channels } = shape;
  return {
    format,
    width,
    height,
    stored,
    pages: frames,
    depth,
    channels,
    space,
    alpha: channels % 2 === 0,
    orientation,
    density: density ?? null,
  };
}
