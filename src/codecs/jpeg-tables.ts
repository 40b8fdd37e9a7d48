import type { Segment } from './jpeg-markers.js';

/**
 * The entries of a DQT segment by slot, each with its precision-and-slot byte first; undefined when the segment
 * breaks the rules of T.81, B.2.4.1.
 */
export function quantizationTables(
  bytes: Uint8Array,
  segment: Segment,
): ReadonlyMap<number, Uint8Array> | undefined {
  const tables = new Map<number, Uint8Array>();
  let at = segment.body;
  while (at < segment.end) {
    const kind = bytes[at] ?? 0;
    const size = kind >> 4 === 0 ? 65 : 129;
    if (kind >> 4 > 1 || (kind & 15) > 3) return undefined;
    tables.set(kind & 15, bytes.subarray(at, at + size));
    at += size;
  }
  return at === segment.end ? tables : undefined;
}

/** The class-and-slot bytes of the tables of a DHT segment; undefined when it breaks the rules of T.81, B.2.4.2. */
export function huffmanTables(bytes: Uint8Array, segment: Segment): readonly number[] | undefined {
  const kinds: number[] = [];
  let at = segment.body;
  while (at + 17 <= segment.end) {
    const kind = bytes[at] ?? 0;
    const counts = bytes.subarray(at + 1, at + 17);
    const codes = counts.reduce((sum, count) => sum + count, 0);
    if (kind >> 4 > 1 || (kind & 15) > 3 || codes > 256 || !isPrefixCode(counts)) return undefined;
    kinds.push(kind);
    at += 17 + codes;
  }
  return at === segment.end ? kinds : undefined;
}

/** Whether so many codes of 1..16 bits fit beside each other with the code of all ones left free (T.81, C.2). */
function isPrefixCode(counts: Uint8Array): boolean {
  const taken = counts.reduce((sum, count, index) => sum + count * 2 ** (15 - index), 0);
  return taken < 2 ** 16;
}
