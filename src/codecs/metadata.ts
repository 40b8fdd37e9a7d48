import type { OutputOptions } from '../recipe.js';
import { exifOfTiff } from './containers/tiff.js';
import { densityEntries, exifBytes } from './exif-write.js';
import type { Format } from './extensions.js';
import type { Header } from './header.js';
import { bytesOf, type Input } from './input.js';
import { writeIptc } from './iptc-write.js';
import { writePngDensity } from './png-density.js';
import { readRights } from './rights.js';
import { type MetadataFormat, type Written, writeExif, writeRights } from './rights-write.js';

/** What a policy made of a result's metadata: the bytes, and what the caller should know. */
export interface WithMetadata {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

/** Where a result's metadata come from. */
export interface MetadataSource {
  readonly input: Input;
  readonly header: Header;
  /** Whether the pixels were turned upright, so that an orientation must not turn them again. */
  readonly upright: boolean;
}

/**
 * Writes into encoded bytes the metadata that the policy keeps, to the letter: sharp itself would transliterate
 * names, leave TIFF without, and lose all of it between two passes. Density is part of every policy.
 */
export async function withMetadata(
  bytes: Uint8Array,
  format: Format,
  source: MetadataSource,
  policy: OutputOptions['metadata'],
): Promise<WithMetadata> {
  if (format === 'npy' || format === 'svg' || format === 'pdf') return { bytes, notes: [] };
  const { density } = source.header;
  const dense = format === 'png' && density !== undefined ? writePngDensity(bytes, density) : bytes;
  const written = await POLICIES[policy](dense, format, source);
  return { bytes: written.bytes, notes: written.lost.map((what) => `metadata not kept: ${what}`) };
}

type Policy = (
  bytes: Uint8Array,
  format: MetadataFormat,
  source: MetadataSource,
) => Promise<Pick<Written, 'bytes' | 'lost'>>;

const POLICIES: Readonly<Record<OutputOptions['metadata'], Policy>> = {
  async none(bytes, format, { header }) {
    return writeRights(bytes, format, {}, densityFor(format, header));
  },

  async safe(bytes, format, { input, header }) {
    const { xmp, iptc } = header;
    // a TIFF file is its own EXIF structure; sharp shows none of it
    const exif = header.format === 'tiff' ? await bytesOf(input) : header.exif;
    return writeRights(bytes, format, readRights({ exif, xmp, iptc }) ?? {}, densityFor(format, header));
  },

  async all(bytes, format, { input, header, upright }) {
    const { xmp, iptc } = header;
    const exif = header.format === 'tiff' ? exifOfTiff(await bytesOf(input)) : header.exif;
    const written = writeExif(bytes, format, exif ?? densityExif(format, header), {
      ...(upright && { orientation: 1 }),
      ...(xmp && { xmp }),
    });
    const complete = iptc && writeIptc(written.bytes, format, iptc);
    const lost = [...written.lost, ...(iptc && !complete ? ['IPTC'] : [])];
    return { bytes: complete ?? written.bytes, lost };
  },
};

/** sharp's JPEGs say nothing of density, so any but the usual 72 must be written; PNG and TIFF have a place of their own. */
function densityFor(format: Format, { density }: Header): { density?: number } {
  const hasPlace = format === 'png' || format === 'tiff' || format === 'gif';
  return hasPlace || density === undefined || density === 72 ? {} : { density };
}

function densityExif(format: Format, header: Header): Uint8Array | undefined {
  const { density } = densityFor(format, header);
  return density === undefined ? undefined : exifBytes(densityEntries(density));
}
