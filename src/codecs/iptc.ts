/** The rights an IPTC record (IIM 4.2) states, as the bytes found; their character set is not converted. */
export interface IptcRights {
  readonly artist?: Uint8Array;
  readonly copyright?: Uint8Array;
}

const DATASET = 0x1c;
const APPLICATION_RECORD = 2;
const BY_LINE = 80;
const COPYRIGHT_NOTICE = 116;
const HEADER_BYTES = 5;

/**
 * By-line (2:80, several joined by `; `) and copyright notice (2:116) of an IPTC block, bare as TIFF holds it or
 * inside the Photoshop resources that JPEG does; a damaged block gives what precedes the damage.
 */
export function readIptcRights(iptc: Uint8Array): IptcRights {
  const sets = datasets(iimOf(Buffer.from(iptc.buffer, iptc.byteOffset, iptc.byteLength)));
  const named = (number: number) => sets.filter((set) => set.number === number).map(({ data }) => data);
  const artists = named(BY_LINE).flatMap((data, index) => (index === 0 ? [data] : [Buffer.from('; '), data]));
  const [copyright] = named(COPYRIGHT_NOTICE);
  return { ...(artists.length > 0 && { artist: Buffer.concat(artists) }), ...(copyright && { copyright }) };
}

const PHOTOSHOP = Buffer.from('Photoshop 3.0\0', 'latin1');
const RESOURCE = Buffer.from('8BIM', 'latin1');
const IPTC_RESOURCE = 0x0404;

/** The IIM data sets of a block, out of the Photoshop resources that may be around them. */
export function iimOf(block: Buffer): Buffer {
  if (!block.subarray(0, PHOTOSHOP.length).equals(PHOTOSHOP)) return block;
  let at = PHOTOSHOP.length;
  while (at + 12 <= block.length && block.subarray(at, at + 4).equals(RESOURCE)) {
    // The name is a length byte and its letters, made even together; so is the data after it.
    const nameBytes = evened(1 + block.readUInt8(at + 6));
    const start = at + 6 + nameBytes + 4;
    if (start > block.length) break;
    const end = start + block.readUInt32BE(start - 4);
    if (block.readUInt16BE(at + 4) === IPTC_RESOURCE) return block.subarray(start, end);
    at = evened(end);
  }
  return Buffer.alloc(0);
}

function evened(length: number): number {
  return length + (length % 2);
}

function datasets(iim: Buffer): { number: number; data: Buffer }[] {
  const sets: { number: number; data: Buffer }[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= iim.length && iim[at] === DATASET) {
    // A length above 32767 announces an extended one, which no line of text needs.
    const end = at + HEADER_BYTES + iim.readUInt16BE(at + 3);
    if (end > iim.length) break;
    if (iim[at + 1] === APPLICATION_RECORD) {
      sets.push({ number: iim.readUInt8(at + 2), data: iim.subarray(at + HEADER_BYTES, end) });
    }
    at = end;
  }
  return sets;
}
