import { type Entry, readDirectory, TAG, tiffOf } from './exif.js';
import { readIptcRights } from './iptc.js';
import { type Alternative, readXmpRights } from './xmp.js';

/** Who made a picture and who owns it, as its metadata says; what is absent was not stated. */
export interface Rights {
  /** The EXIF artist, to the byte and without the NUL that ends it; its encoding is the writer's own. */
  readonly artist?: Uint8Array;
  /** The EXIF copyright, likewise. A NUL inside parts the photographer's from the editor's. */
  readonly copyright?: Uint8Array;
  /** `dc:rights` in each language, `x-default` included. */
  readonly xmpRights?: readonly Alternative[];
  /** `dc:creator`, in order. */
  readonly xmpCreator?: readonly string[];
}

/** Metadata blobs as `sharp.metadata()` hands them over. A whole TIFF file will do as `exif`: it has the same tags. */
export interface MetadataBlobs {
  readonly exif?: Uint8Array | undefined;
  readonly xmp?: Uint8Array | undefined;
  readonly iptc?: Uint8Array | undefined;
}

/**
 * The rights stated in a picture's metadata, or undefined when there are none. IPTC's by-line and copyright notice
 * stand in where EXIF is silent. Malformed metadata states nothing; it never throws.
 */
export function readRights(metadata: MetadataBlobs): Rights | undefined {
  const entries = metadata.exif ? (readDirectory(tiffOf(metadata.exif))?.entries ?? []) : [];
  const iptc = metadata.iptc ? readIptcRights(metadata.iptc) : {};
  const xmp = metadata.xmp && readXmpRights(metadata.xmp);
  const artist = textOf(entries, TAG.artist) ?? said(iptc.artist);
  const copyright = textOf(entries, TAG.copyright) ?? said(iptc.copyright);
  if (!artist && !copyright && !xmp) return undefined;
  return {
    ...(artist && { artist }),
    ...(copyright && { copyright }),
    ...(xmp && xmp.rights.length > 0 && { xmpRights: xmp.rights }),
    ...(xmp && xmp.creators.length > 0 && { xmpCreator: xmp.creators }),
  };
}

/** Types that hold text: ASCII as specified, bytes and undefined as some writers have it, EXIF 3.0's UTF-8. */
const TEXT_TYPES: ReadonlySet<number> = new Set([1, 2, 7, 129]);

function textOf(entries: readonly Entry[], tag: number): Uint8Array | undefined {
  return said(entries.find((entry) => entry.tag === tag && TEXT_TYPES.has(entry.type))?.data);
}

/** The bytes before the NULs at the end; undefined for blanks, which cameras write for an owner never set. */
function said(text: Uint8Array | undefined): Uint8Array | undefined {
  if (!text) return undefined;
  // A copy, so that rights kept for later do not keep a whole blob or file in memory.
  const bytes = Uint8Array.from(text.subarray(0, text.findLastIndex((byte) => byte !== 0) + 1));
  return bytes.some((byte) => byte !== 0x20 && byte !== 0) ? bytes : undefined;
}
