import { readFile } from 'node:fs/promises';
import type { PictureFormat } from './magic.js';

/** A picture to read: a path stays a path, because sharp reads it faster itself. */
export type Input =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What sharp opens for an input that went through {@link plainInput}. */
export function openable(input: Input): string | Uint8Array {
  return input.kind === 'path' ? input.path : input.bytes;
}

/** All bytes of an input. */
export async function bytesOf(input: Input): Promise<Uint8Array> {
  return input.kind === 'bytes' ? input.bytes : readFile(input.path);
}

/**
 * The same input, safe to open: libvips takes brackets at the end of a path for options of its loader, and an SVG that
 * is opened by path may show files from its folder.
 */
export async function plainInput(input: Input, format?: PictureFormat): Promise<Input> {
  const isUnsafe = input.kind === 'path' && (format === 'svg' || input.path.endsWith(']'));
  return isUnsafe ? { kind: 'bytes', bytes: await bytesOf(input) } : input;
}
