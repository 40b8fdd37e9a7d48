import type { OutputOptions } from '../recipe.js';
import { bufferOf } from './containers/container.js';
import { readDirectory, TAG, tiffOf } from './exif.js';
import type { Header } from './header.js';
import { MARKER, segmentAt } from './jpeg-markers.js';

/**
 * Whether a policy would take nothing from a file's metadata. Only what is known to stay counts: a comment, a profile,
 * an unknown segment, or a container that is not looked into here, and the answer is no.
 */
export function keepsAllMetadata(
  bytes: Uint8Array,
  header: Header,
  policy: OutputOptions['metadata'],
): boolean {
  if (policy === 'all') return true;
  const { exif, xmp, iptc } = header;
  if (xmp !== undefined || iptc !== undefined) return false;
  if (exif !== undefined && (policy === 'none' || !saysOnlyRights(exif))) return false;
  return WALKS[header.format]?.(bufferOf(bytes)) ?? false;
}

const STAYING: ReadonlySet<number> = new Set([
  TAG.artist,
  TAG.copyright,
  TAG.orientation,
  TAG.xResolution,
  TAG.yResolution,
  TAG.resolutionUnit,
]);

function saysOnlyRights(exif: Uint8Array): boolean {
  const directory = readDirectory(tiffOf(exif));
  return directory?.next === 0 && directory.entries.every(({ tag }) => STAYING.has(tag));
}

const WALKS: Partial<Record<Header['format'], (file: Buffer) => boolean>> = {
  jpeg: (file) => isBareJpeg(file),
  png: (file) => isBarePng(file),
  webp: (file) => isBareWebp(file),
};

const ADOBE = 0xee;
const APP1 = 0xe1;

/** JFIF, the EXIF looked at above and Adobe's colour marker, then tables and scans up to the last two bytes. */
function isBareJpeg(file: Buffer): boolean {
  let segment = segmentAt(file, 2);
  while (segment && segment.marker !== MARKER.SOS) {
    const { marker } = segment;
    const isKnown = marker === MARKER.APP0 || marker === APP1 || marker === ADOBE;
    if ((marker >= MARKER.APP0 && marker <= MARKER.APP15 && !isKnown) || marker === MARKER.COM) return false;
    segment = segmentAt(file, segment.end);
  }
  const end = file.indexOf(Buffer.from([0xff, MARKER.EOI]), segment?.end ?? file.length);
  return end === file.length - 2;
}

// biome-ignore format: one line reads as the table in the specification
const PNG_CHUNKS: ReadonlySet<string> = new Set([
  'IHDR', 'PLTE', 'IDAT', 'tRNS', 'pHYs', 'gAMA', 'cHRM', 'sRGB', 'sBIT', 'bKGD', 'hIST', 'eXIf',
]);

function isBarePng(file: Buffer): boolean {
  let at = 8;
  while (at + 12 <= file.length) {
    const type = file.toString('latin1', at + 4, at + 8);
    at += 12 + file.readUInt32BE(at);
    if (type === 'IEND') return at === file.length;
    if (!PNG_CHUNKS.has(type)) return false;
  }
  return false;
}

const WEBP_CHUNKS: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'EXIF']);

function isBareWebp(file: Buffer): boolean {
  let at = 12;
  while (at + 8 <= file.length) {
    if (!WEBP_CHUNKS.has(file.toString('latin1', at, at + 4))) return false;
    const length = file.readUInt32LE(at + 4);
    at += 8 + length + (length % 2);
  }
  return at === file.length;
}
