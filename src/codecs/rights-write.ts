import { embedInAvif } from './containers/avif.js';
import type { Blobs, Embed, Embedded } from './containers/container.js';
import { embedInGif } from './containers/gif.js';
import { embedInJpeg } from './containers/jpeg.js';
import { embedInPng } from './containers/png.js';
import { embedInTiff } from './containers/tiff.js';
import { embedInWebp } from './containers/webp.js';
import { type Entry, TAG, tiffOf } from './exif.js';
import { densityEntries, exifBytes, textEntry, upright } from './exif-write.js';
import type { Rights } from './rights.js';
import { isXmlText } from './xml.js';
import { type Alternative, xmpBytes } from './xmp.js';

/** The formats metadata can be written into. */
export type MetadataFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'gif' | 'avif';

/** An encoded picture with its metadata, whether all of it was kept to the letter, and the names of what was not. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly kept: boolean;
  readonly lost: readonly string[];
}

const EMBED: Readonly<Record<MetadataFormat, Embed>> = {
  jpeg: embedInJpeg,
  png: embedInPng,
  webp: embedInWebp,
  tiff: embedInTiff,
  gif: embedInGif,
  avif: embedInAvif,
};

/**
 * Writes rights into a picture just encoded: EXIF and XMP that hold them and nothing else, in place of any the bytes
 * had. A GIF takes XMP alone, so there artist and copyright become `dc:creator` and `dc:rights`.
 *
 * `density`, in pixels per inch, goes into the same EXIF of a JPEG, TIFF, WebP or AVIF: sharp's own `withDensity`
 * would copy the source's whole EXIF, GPS included, to say it. A PNG has it outside EXIF already, a GIF nowhere.
 */
export function writeRights(
  encoded: Uint8Array,
  format: MetadataFormat,
  rights: Rights,
  options: { readonly density?: number } = {},
): Written {
  if (format === 'gif') return writeXmpRights(encoded, rights);
  const density = format === 'png' ? [] : densityEntries(options.density);
  return embedded(encoded, format, { ...exifOf([...rightsEntries(rights), ...density]), ...xmpOf(rights) });
}

/**
 * Writes a source's whole EXIF blob into a picture just encoded, byte for byte but for the orientation tag when it
 * is to be 1, and its XMP packet beside it. In a TIFF the blob's tags join the file's own; a GIF takes none.
 */
export function writeExif(
  encoded: Uint8Array,
  format: MetadataFormat,
  exif: Uint8Array | undefined,
  options: { readonly orientation?: 1; readonly xmp?: Uint8Array } = {},
): Written {
  const blob = exif && options.orientation === 1 ? upright(exif) : exif;
  return embedded(encoded, format, {
    ...(blob && { exif: tiffOf(blob) }),
    ...(options.xmp && { xmp: options.xmp }),
  });
}

function embedded(encoded: Uint8Array, format: MetadataFormat, blobs: Blobs): Written {
  if (!blobs.exif && !blobs.xmp) return { bytes: encoded, kept: true, lost: [] };
  return written(EMBED[format](encoded, blobs));
}

function written({ bytes, lost }: Embedded): Written {
  return { bytes, kept: lost.length === 0, lost };
}

function exifOf(entries: readonly Entry[]): Blobs {
  return entries.length > 0 ? { exif: exifBytes(entries) } : {};
}

function rightsEntries({ artist, copyright }: Rights): Entry[] {
  return [
    ...(artist ? [textEntry(TAG.artist, artist)] : []),
    ...(copyright ? [textEntry(TAG.copyright, copyright)] : []),
  ];
}

function xmpOf({ xmpRights = [], xmpCreator = [] }: Rights): Blobs {
  const isEmpty = xmpRights.length + xmpCreator.length === 0;
  return isEmpty ? {} : { xmp: xmpBytes({ rights: xmpRights, creators: xmpCreator }) };
}

function writeXmpRights(encoded: Uint8Array, { artist, copyright, ...stated }: Rights): Written {
  const creator = artist && textOf(artist);
  const notice = copyright && textOf(copyright);
  const xmpCreator = stated.xmpCreator ?? (creator ? [creator.text] : []);
  const xmpRights = stated.xmpRights ?? (notice ? [{ language: 'x-default', text: notice.text }] : []);
  const { bytes, lost } = embedded(encoded, 'gif', xmpOf({ xmpCreator, xmpRights }));
  return written({
    bytes,
    lost: [
      ...lost,
      ...(creator && !(creator.isExact && xmpCreator.includes(creator.text)) ? ['EXIF artist'] : []),
      ...(notice && !(notice.isExact && hasText(xmpRights, notice.text)) ? ['EXIF copyright'] : []),
    ],
  });
}

function hasText(alternatives: readonly Alternative[], wanted: string): boolean {
  return alternatives.some(({ text }) => text === wanted);
}

/** Bytes as text XMP can hold: UTF-8 is exact, anything else is taken for Latin-1 and so may have changed. */
function textOf(bytes: Uint8Array): { readonly text: string; readonly isExact: boolean } {
  const utf8 = Buffer.from(bytes).toString('utf8');
  if (!utf8.includes('\ufffd') && isXmlText(utf8)) return { text: utf8, isExact: true };
  const latin1 = Buffer.from(bytes).toString('latin1');
  return { text: [...latin1].map((letter) => (isXmlText(letter) ? letter : ' ')).join(''), isExact: false };
}
