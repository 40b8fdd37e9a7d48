const EXTENSION = 0x21;
const FRAME = 0x2c;
const TRAILER = 0x3b;
const HEADER_BYTES = 13;

/**
 * Whether a GIF's blocks follow on to its trailer (GIF89a, appendix A). Decoders show what came before a cut and
 * say nothing of it, so it has to be looked at; what follows the trailer does not count.
 */
export function gifIsWhole(bytes: Uint8Array): boolean {
  let at: number | undefined = HEADER_BYTES + tableBytes(bytes[10] ?? 0);
  while (at !== undefined) {
    if (bytes[at] === TRAILER) return true;
    at = blockEnd(bytes, at);
  }
  return false;
}

function blockEnd(bytes: Uint8Array, at: number): number | undefined {
  const kind = bytes[at];
  // some writers leave a stray terminator between two blocks, which decoders step over
  if (kind === 0) return at + 1;
  if (kind === EXTENSION) return subBlocksEnd(bytes, at + 2);
  if (kind !== FRAME) return undefined;
  // the frame's place, size and flags, its colours, then one byte of code size before the data
  return subBlocksEnd(bytes, at + 10 + tableBytes(bytes[at + 9] ?? 0) + 1);
}

function subBlocksEnd(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  for (let size = bytes[at]; size !== undefined; size = bytes[at]) {
    at += 1 + size;
    if (size === 0) return at;
  }
  return undefined;
}

/** The colour table that a flags byte announces. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}
