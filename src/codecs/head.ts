import { open } from 'node:fs/promises';
import type { Input } from './input.js';
import { SNIFF_BYTES } from './magic.js';

/** The first bytes of an input, enough for its magic. */
export async function headOf(input: Input): Promise<Uint8Array> {
  if (input.kind === 'bytes') return input.bytes.subarray(0, SNIFF_BYTES);
  const file = await open(input.path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SNIFF_BYTES), position: 0 });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
