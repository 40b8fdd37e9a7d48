/** One box of an ISO base media file: its four-letter type and what follows its header. */
export interface Box {
  readonly type: string;
  readonly body: Buffer;
}

const HEADER_BYTES = 8;
/** Bytes of version and flags, at the start of a full box. */
export const FULL_BYTES = 4;

/** The boxes that fill `bytes`; undefined when they do not, or one uses the 64-bit or open-ended size. */
export function boxesOf(bytes: Buffer): Box[] | undefined {
  const boxes: Box[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    if (size < HEADER_BYTES || at + size > bytes.length) return undefined;
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      body: bytes.subarray(at + HEADER_BYTES, at + size),
    });
    at += size;
  }
  return at === bytes.length ? boxes : undefined;
}

/** Whether a box at the top of the file says it ends after the file does; false where sizes are 64-bit or open-ended. */
export function endsInsideBox(file: Buffer): boolean {
  let at = 0;
  while (at + HEADER_BYTES <= file.length) {
    const size = file.readUInt32BE(at);
    if (size < HEADER_BYTES) return false;
    at += size;
  }
  return at > file.length;
}

/** A box as bytes. */
export function boxBytes(type: string, ...body: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(
    body.reduce((sum, part) => sum + part.length, HEADER_BYTES),
    0,
  );
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...body]);
}
