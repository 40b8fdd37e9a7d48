import { open } from 'node:fs/promises';
import type { Input } from './input.js';
import { SNIFF_BYTES } from './magic.js';

/** The first bytes of an input, enough for its magic unless so many are asked for. */
export async function headOf(input: Input, most = SNIFF_BYTES): Promise<Uint8Array> {
  if (input.kind === 'bytes') return input.bytes.subarray(0, most);
  const file = await open(input.path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(most), position: 0 });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
