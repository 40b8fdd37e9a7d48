import {
  type Component,
  componentsOf,
  entropyEnd,
  jpegHeader,
  MARKER,
  type ScanHeader,
  type Segment,
  scanHeaderOf,
  segmentAt,
  u16,
} from './jpeg-markers.js';
import { huffmanTables, quantizationTables } from './jpeg-tables.js';

/** One scan with its entropy-coded data: byte offsets into the file, `end` exclusive. */
export interface Scan extends ScanHeader {
  readonly start: number;
  readonly end: number;
}

/** The parts of a sound, complete progressive JPEG that matter when scans are chosen. */
export interface ProgressiveJpeg {
  readonly components: readonly Component[];
  /** Quantization tables by slot: the bytes of one DQT entry, precision and slot first. */
  readonly quantization: ReadonlyMap<number, Uint8Array>;
  readonly scans: readonly Scan[];
}

/**
 * Reads the layout of a progressive, Huffman-coded, 8-bit JPEG; undefined on any doubt: another process, a
 * segment that is unknown or malformed, bytes between segments, a missing table or EOI, coefficients that the
 * scans leave inexact or send out of turn (libjpeg would smooth or warn), a second picture that is found by
 * its offset (MPF).
 */
export function readProgressive(bytes: Buffer): ProgressiveJpeg | undefined {
  const header = jpegHeader(bytes);
  if (header?.progressive !== true || header.precision !== 8) return undefined;
  const state = newState();
  for (let at: number | undefined = 2; at !== undefined; ) {
    const segment = segmentAt(bytes, at);
    if (segment?.marker === MARKER.EOI) return finish(state);
    at = segment && accept(bytes, segment, state);
  }
  return undefined;
}

/** libvips gives up at 100 scans; far fewer are normal, and a bomb of scans is the decoder's to refuse. */
const MOST_SCANS = 64;

interface State {
  components: readonly Component[];
  quantization: Map<number, Uint8Array>;
  /** Huffman tables defined so far, as the class and slot byte of DHT. */
  huffman: Set<number>;
  restarts: boolean;
  scans: Scan[];
  /** For each component and coefficient the bit reached so far: -1 unseen, 0 exact. */
  reached: Int8Array[];
}

function newState(): State {
  return {
    components: [],
    quantization: new Map(),
    huffman: new Set(),
    restarts: false,
    scans: [],
    reached: [],
  };
}

/** Takes one segment into the state and answers where the next must start; undefined on doubt. */
function accept(bytes: Buffer, segment: Segment, state: State): number | undefined {
  if (segment.marker === MARKER.SOS) return acceptScan(bytes, segment, state);
  return acceptTable(bytes, segment, state) ? segment.end : undefined;
}

function acceptTable(bytes: Buffer, segment: Segment, state: State): boolean {
  switch (segment.marker) {
    case MARKER.SOF2:
      return acceptFrame(bytes, segment, state);
    case MARKER.DQT:
      return acceptQuantization(bytes, segment, state);
    case MARKER.DHT:
      return acceptHuffman(bytes, segment, state);
    case MARKER.DRI:
      state.restarts = u16(bytes, segment.body) > 0;
      return segment.end === segment.body + 2;
    default:
      return isComment(bytes, segment);
  }
}

function acceptFrame(bytes: Buffer, segment: Segment, state: State): boolean {
  const components = componentsOf(bytes, segment);
  if (components === undefined || state.components.length > 0) return false;
  state.components = components;
  state.reached = components.map(() => new Int8Array(64).fill(-1));
  return true;
}

/** A table redefined between scans would apply to some components only, so such a file is in doubt. */
function acceptQuantization(bytes: Buffer, segment: Segment, state: State): boolean {
  const tables = quantizationTables(bytes, segment);
  for (const [slot, table] of tables ?? []) state.quantization.set(slot, table);
  return tables !== undefined && state.scans.length === 0;
}

/** Looked at here because the decoder never builds the tables of a scan that is cut. */
function acceptHuffman(bytes: Buffer, segment: Segment, state: State): boolean {
  const kinds = huffmanTables(bytes, segment);
  for (const kind of kinds ?? []) state.huffman.add(kind);
  return kinds !== undefined;
}

function isComment(bytes: Buffer, { marker, body, end }: Segment): boolean {
  if (marker === MARKER.APP2) return bytes.toString('latin1', body, Math.min(end, body + 4)) !== 'MPF\0';
  return marker === MARKER.COM || (marker >= MARKER.APP0 && marker <= MARKER.APP15);
}

function acceptScan(bytes: Buffer, segment: Segment, state: State): number | undefined {
  const header = scanHeaderOf(bytes, segment, state.components);
  if (header === undefined || !hasTables(header, state) || !advance(header, state)) return undefined;
  const end = entropyEnd(bytes, segment.end, state.restarts);
  if (end === undefined || state.scans.length === MOST_SCANS) return undefined;
  state.scans.push({ ...header, start: segment.start, end });
  return end;
}

/** DC scans need a DC table at first and none for refinement, AC scans an AC table always; all need quantization. */
function hasTables(scan: ScanHeader, { components, huffman, quantization }: State): boolean {
  const dc = scan.from > 0 || scan.bitBefore > 0 || scan.dcTables.every((table) => huffman.has(table));
  const ac = scan.from === 0 || scan.acTables.every((table) => huffman.has(table | 0x10));
  return dc && ac && components.every(({ slot }) => quantization.has(slot));
}

/** Notes the bits a scan adds; false when one comes out of turn or twice, where libjpeg would warn. */
function advance(scan: ScanHeader, { reached }: State): boolean {
  return scan.components.every((index) => {
    const bits = reached[index];
    if (bits === undefined || (scan.from > 0 && bits[0] === -1)) return false;
    const band = bits.subarray(scan.from, scan.to + 1);
    const before = scan.bitBefore === 0 ? -1 : scan.bitBefore;
    const inTurn = band.every((bit) => bit === before);
    band.fill(scan.bit);
    return inTurn;
  });
}

function finish({ components, quantization, scans, reached }: State): ProgressiveJpeg | undefined {
  const exact = reached.length > 0 && reached.every((bits) => bits.every((bit) => bit === 0));
  return exact ? { components, quantization, scans } : undefined;
}
