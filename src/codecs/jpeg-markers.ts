/** Marker codes of ITU-T T.81, table B.1: the second byte, after 0xFF. */
export const MARKER = {
  SOF0: 0xc0,
  SOF1: 0xc1,
  SOF2: 0xc2,
  DHT: 0xc4,
  DQT: 0xdb,
  DRI: 0xdd,
  SOS: 0xda,
  SOI: 0xd8,
  EOI: 0xd9,
  APP0: 0xe0,
  APP1: 0xe1,
  APP2: 0xe2,
  APP13: 0xed,
  APP15: 0xef,
  COM: 0xfe,
} as const;

/** One marker segment: byte offsets into the file, `end` exclusive. */
export interface Segment {
  readonly marker: number;
  /** The first 0xFF, fill bytes included. */
  readonly start: number;
  /** The first byte after the length field. */
  readonly body: number;
  readonly end: number;
}

/** One component of a frame: sampling factors 1..4 and the slot 0..3 of its quantization table. */
export interface Component {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  readonly slot: number;
  /** Where the frame header holds `slot`, as a byte offset into the file. */
  readonly slotAt: number;
}

/** What a frame header (SOF) says; width and height are the stored ones, before EXIF orientation, in 1..65535. */
export interface JpegHeader {
  readonly progressive: boolean;
  readonly precision: number;
  readonly width: number;
  readonly height: number;
  readonly components: number;
}

/** One scan header: which components (indexes into the frame), which coefficients (zigzag, 0..63), which bits. */
export interface ScanHeader {
  readonly components: readonly number[];
  readonly dcTables: readonly number[];
  readonly acTables: readonly number[];
  readonly from: number;
  readonly to: number;
  /** The bit reached before this scan (0: none yet) and by it: Ah and Al. */
  readonly bitBefore: number;
  readonly bit: number;
}

/** Reads a JPEG's frame header from its first bytes; undefined when these hold none or it is malformed. */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (!startsAsJpeg(bytes)) return undefined;
  for (let at = 2; ; ) {
    const segment = segmentAt(bytes, at);
    if (segment === undefined || segment.marker === MARKER.SOS) return undefined;
    if (isFrame(segment.marker)) return frameOf(bytes, segment);
    at = segment.end;
  }
}

function startsAsJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === MARKER.SOI;
}

/** The segment that starts exactly at `at`; undefined when none does or it runs past the end. EOI has no body. */
export function segmentAt(bytes: Uint8Array, at: number): Segment | undefined {
  if (bytes[at] !== 0xff) return undefined;
  const code = skipFill(bytes, at);
  const marker = bytes[code] ?? 0;
  const body = code + 3;
  if (marker === MARKER.EOI) return { marker, start: at, body: code + 1, end: code + 1 };
  if (marker < 0xc0 || (marker >= 0xd0 && marker <= MARKER.SOI)) return undefined;
  const end = code + 1 + u16(bytes, code + 1);
  return end < body || end > bytes.length ? undefined : { marker, start: at, body, end };
}

/**
 * Where the entropy-coded data that starts at `from` ends: the offset of the next marker that is no restart.
 * Undefined when there is none, or when restart markers come out of turn or without a restart interval.
 * Buffer.indexOf does the search: a loop over every byte would cost more than the decoding saved.
 */
export function entropyEnd(bytes: Buffer, from: number, restarts: boolean): number | undefined {
  let restart = 0;
  for (let at = bytes.indexOf(0xff, from); at >= 0; ) {
    const code = bytes[at + 1];
    if (code === restart + 0xd0 && restarts) restart = (restart + 1) % 8;
    else if (code !== 0) return code === undefined || at === from ? undefined : at;
    at = bytes.indexOf(0xff, at + 2);
  }
  return undefined;
}

/** The components a frame header lists; undefined when its length, factors or slots are out of range. */
export function componentsOf(bytes: Uint8Array, frame: Segment): readonly Component[] | undefined {
  const count = bytes[frame.body + 5] ?? 0;
  if (count < 1 || count > 4 || frame.end !== frame.body + 6 + 3 * count) return undefined;
  const components = Array.from({ length: count }, (_, index) =>
    componentAt(bytes, frame.body + 6 + 3 * index),
  );
  const sound = components.every(({ h, v, slot }) => within(h, 1, 4) && within(v, 1, 4) && slot < 4);
  return sound ? components : undefined;
}

/** A scan header against the components of its frame; undefined when T.81 table B.3 forbids it for progressive. */
export function scanHeaderOf(
  bytes: Uint8Array,
  scan: Segment,
  frame: readonly Component[],
): ScanHeader | undefined {
  const count = bytes[scan.body] ?? 0;
  if (count < 1 || count > 4 || scan.end !== scan.body + 4 + 2 * count) return undefined;
  const offsets = Array.from({ length: count }, (_, index) => scan.body + 1 + 2 * index);
  const components = offsets.map((at) => frame.findIndex(({ id }) => id === bytes[at]));
  if (components.includes(-1)) return undefined;
  const tables = offsets.map((at) => bytes[at + 1] ?? 0);
  const [from = 0, to = 0, bits = 0] = bytes.subarray(scan.end - 3, scan.end);
  const header: ScanHeader = {
    components,
    dcTables: tables.map((pair) => pair >> 4),
    acTables: tables.map((pair) => pair & 15),
    from,
    to,
    bitBefore: bits >> 4,
    bit: bits & 15,
  };
  return isSound(header) ? header : undefined;
}

/** A big-endian 16-bit number; 0 past the end. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function skipFill(bytes: Uint8Array, at: number): number {
  let code = at + 1;
  while (bytes[code] === 0xff) code++;
  return code;
}

/** SOF0 to SOF15 share their range with DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker === 0xc0 || (within(marker, 0xc1, 0xcf) && marker % 4 !== 0);
}

/** What a frame header (SOF) says; undefined when it is malformed. */
export function frameOf(bytes: Uint8Array, frame: Segment): JpegHeader | undefined {
  const components = componentsOf(bytes, frame)?.length;
  const height = u16(bytes, frame.body + 1);
  const width = u16(bytes, frame.body + 3);
  if (components === undefined || width === 0 || height === 0) return undefined;
  // SOF2, 6, 10 and 14 are progressive; the last three are hierarchical or arithmetic as well.
  const progressive = frame.marker % 4 === 2;
  return { progressive, precision: bytes[frame.body] ?? 0, width, height, components };
}

function componentAt(bytes: Uint8Array, at: number): Component {
  const [id = 0, factors = 0, slot = 0] = bytes.subarray(at, at + 3);
  return { id, h: factors >> 4, v: factors & 15, slot, slotAt: at + 2 };
}

function isSound({ components, from, to, bitBefore, bit }: ScanHeader): boolean {
  const bandIsSound = from === 0 ? to === 0 : from <= to && to <= 63 && components.length === 1;
  return bandIsSound && bit <= 13 && (bitBefore === 0 || bitBefore === bit + 1);
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
