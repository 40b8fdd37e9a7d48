import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { toImgtoolError } from '../errors.js';

const HEX_DIGITS = 32;
const CHUNK = 256 << 10;

/** SHA-256 of a file's bytes, cut to 128 bits, as 32 hex digits; read in pieces, so of any length. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  try {
    return await digest(path, signal);
  } catch (error) {
    if (signal?.aborted) throw toImgtoolError(error, 'E_CANCELLED', { stage: 'read', file: path });
    throw toImgtoolError(error, 'E_READ', { stage: 'read', file: path });
  }
}

/** As {@link hashFile}, of bytes at hand. */
export function hashBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, HEX_DIGITS);
}

/** 32 hex digits that are equal just when the JSON of `parts` is, whatever the order of its keys. */
export function versionKey(parts: unknown): string {
  return hashBytes(Buffer.from(canonical(parts)));
}

/** A file as the manifest names it: relative to `folder` with `/` separators; URLs and `-` as they are. */
export function portableName(folder: string, source: string): string {
  if (source === '-' || isUrl(source)) return source;
  const path = relative(resolve(folder), resolve(source)).split(sep).join('/');
  return path === '-' ? './-' : path;
}

/** The file a name of {@link portableName} stands for in `folder`, or the URL or `-`. */
export function localName(folder: string, name: string): string {
  return name === '-' || isUrl(name) || isAbsolute(name) ? name : resolve(folder, name);
}

function isUrl(name: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(name);
}

async function digest(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return hash.digest('hex').slice(0, HEX_DIGITS);
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** JSON with sorted keys and no space; what JSON leaves out (undefined, functions) is left out. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isPlain(part) ? sorted(part) : part)) ?? 'undefined';
}

function sorted(part: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isPlain(part: unknown): part is Record<string, unknown> {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}
