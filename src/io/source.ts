import type { Input } from '../codecs/input.js';
import type { Found } from './find.js';

/** One picture to process: where its bytes are, and where it stands in what the user named. */
export interface Source extends Omit<Found, 'path'> {
  readonly input: Input;
}

/** A found file as a source. */
export function fileSource({ path, ...found }: Found): Source {
  return { ...found, input: { kind: 'path', path } };
}

/** Bytes from standard input as a source; their name has no extension, so that the bytes give it one. */
export function bytesSource(bytes: Uint8Array, argument: number): Source {
  return {
    name: '-',
    root: '',
    relative: 'stdin',
    argument,
    explicit: true,
    input: { kind: 'bytes', bytes },
  };
}
