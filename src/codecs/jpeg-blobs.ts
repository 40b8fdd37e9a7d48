import { MARKER, type Segment } from './jpeg-markers.js';

/** The metadata that a JPEG's APPn segments carry, cut as libvips cuts them. */
export interface Blobs {
  /** With `Exif\0\0` before it. */
  readonly exif?: Buffer;
  readonly xmp?: Buffer;
  /** With `Photoshop 3.0\0` before it. */
  readonly iptc?: Buffer;
  readonly icc?: Buffer;
}

/**
 * The blobs of the segments before the first scan; undefined where several make it doubtful which one counts, or a
 * second picture (MPF) or another use of a known segment is in play.
 */
export function blobsOf(bytes: Buffer, segments: readonly Segment[]): Blobs | undefined {
  const bodies = (marker: number): Buffer[] =>
    segments.filter((segment) => segment.marker === marker).map(({ body, end }) => bytes.subarray(body, end));
  const exif = bodies(MARKER.APP1).filter((body) => starts(body, 'Exif'));
  const xmp = bodies(MARKER.APP1).filter((body) => starts(body, 'http'));
  const iptc = bodies(MARKER.APP13).filter((body) => starts(body, 'Photo'));
  const icc = iccOf(bodies(MARKER.APP2));
  const single = [exif, xmp, iptc].every((found) => found.length <= 1);
  const known =
    exif.every((body) => starts(body, EXIF_MARK)) &&
    xmp.every((body) => starts(body, XMP_MARK) && body.length > XMP_MARK.length);
  if (!single || !known || icc === undefined) return undefined;
  return {
    ...(exif[0] && { exif: exif[0] }),
    ...(xmp[0] && { xmp: xmp[0].subarray(XMP_MARK.length) }),
    ...(iptc[0] && { iptc: iptc[0] }),
    ...(icc.length > 0 && { icc }),
  };
}

/** What the APP1 segment of EXIF begins with. */
export const EXIF_MARK = 'Exif\0\0';
/** What the APP1 segment of XMP begins with. */
export const XMP_MARK = 'http://ns.adobe.com/xap/1.0/\0';
const ICC = 'ICC_PROFILE\0';

/**
 * A profile from its chunks, each with its number, from 1 on, and their count (ICC.1, B.4); empty when there are no APP2 segments.
 * Undefined unless all of them are such chunks, each there once and in turn.
 */
function iccOf(bodies: readonly Buffer[]): Buffer | undefined {
  const head = ICC.length + 2;
  const sound = bodies.every(
    (body, index) =>
      starts(body, ICC) &&
      body.length > head &&
      body[head - 2] === index + 1 &&
      body[head - 1] === bodies.length,
  );
  return sound ? Buffer.concat(bodies.map((body) => body.subarray(head))) : undefined;
}

function starts(body: Buffer, text: string): boolean {
  return body.toString('latin1', 0, text.length) === text;
}
