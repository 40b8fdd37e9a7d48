/** What may be put into an encoded picture. A kind that is given takes the place of what was there. */
export interface Blobs {
  /** A TIFF structure, without `Exif\0\0` before it. */
  readonly exif?: Uint8Array;
  /** A UTF-8 XMP packet. */
  readonly xmp?: Uint8Array;
}

/** An encoded picture with its metadata in place, and the names of what its container could not take. */
export interface Embedded {
  readonly bytes: Uint8Array;
  readonly lost: readonly string[];
}

/** Puts metadata into an encoded picture without touching its pixels; bytes it cannot follow come back as they were. */
export type Embed = (encoded: Uint8Array, blobs: Blobs) => Embedded;

/** The answer of a container that took nothing. */
export function refused(encoded: Uint8Array, blobs: Blobs): Embedded {
  return { bytes: encoded, lost: [...(blobs.exif ? ['EXIF'] : []), ...(blobs.xmp ? ['XMP'] : [])] };
}

/** The same bytes as a Buffer, without a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
