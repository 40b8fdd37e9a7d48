import { readFile } from 'node:fs/promises';
import type { OutputOptions } from '../recipe.js';
import type { Format } from './extensions.js';
import type { Header } from './header.js';
import type { Input } from './input.js';
import { readRights } from './rights.js';
import { type MetadataFormat, type Written, writeExif, writeRights } from './rights-write.js';

/** What a policy made of a result's metadata: the bytes, and what the caller should know. */
export interface WithMetadata {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

/**
 * Writes into encoded bytes the metadata that the policy keeps, to the letter: sharp itself would transliterate
 * names and leave TIFF without. XMP and IPTC of policy `all` are sharp's to keep, since it keeps them exactly.
 */
export async function withMetadata(
  bytes: Uint8Array,
  format: Format,
  source: { readonly input: Input; readonly header: Header },
  policy: OutputOptions['metadata'],
): Promise<WithMetadata> {
  if (format === 'npy' || format === 'svg' || format === 'pdf') return { bytes, notes: [] };
  const density = densityFor(format, source.header);
  if (policy === 'none')
    return density === undefined ? { bytes, notes: [] } : noted(writeRights(bytes, format, {}, { density }));
  return policy === 'safe' ? safe(bytes, format, source, density) : all(bytes, format, source.header);
}

async function safe(
  bytes: Uint8Array,
  format: MetadataFormat,
  { input, header }: { readonly input: Input; readonly header: Header },
  density: number | undefined,
): Promise<WithMetadata> {
  const exif = header.format === 'tiff' ? await tiffBytes(input) : header.exif;
  const rights = readRights({
    ...(exif && { exif }),
    ...(header.xmp && { xmp: header.xmp }),
    ...(header.iptc && { iptc: header.iptc }),
  });
  if (rights === undefined && density === undefined) return { bytes, notes: [] };
  return noted(writeRights(bytes, format, rights ?? {}, density === undefined ? {} : { density }));
}

function all(bytes: Uint8Array, format: MetadataFormat, { exif }: Header): WithMetadata {
  return exif === undefined
    ? { bytes, notes: [] }
    : noted(writeExif(bytes, format, exif, { orientation: 1 }));
}

/** A TIFF file is its own EXIF structure; sharp shows none of it. */
async function tiffBytes(input: Input): Promise<Uint8Array> {
  return input.kind === 'bytes' ? input.bytes : readFile(input.path);
}

/** sharp's JPEGs say nothing of density, so any but the usual 72 must be written; PNG and TIFF carry their own. */
function densityFor(format: Format, { density }: Header): number | undefined {
  const carried = format === 'png' || format === 'tiff' || format === 'gif';
  return carried || density === undefined || density === 72 ? undefined : density;
}

function noted({ bytes, lost }: Written): WithMetadata {
  return { bytes, notes: lost.map((what) => `metadata not kept: ${what}`) };
}
