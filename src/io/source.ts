import type { Input } from '../codecs/input.js';
import type { Found } from './find.js';

/** Bytes that must be fetched before they can be read. */
export interface RemoteInput {
  readonly kind: 'remote';
  fetch(signal?: AbortSignal): Promise<Uint8Array>;
}

/** One picture to process: where its bytes are, and where it stands in what the user named. */
export interface Source extends Omit<Found, 'path'> {
  readonly input: Input | RemoteInput;
}

/** A source whose bytes are at hand. */
export interface LocalSource extends Source {
  readonly input: Input;
}

/** A found file as a source. */
export function fileSource({ path, ...found }: Found): LocalSource {
  return { ...found, input: { kind: 'path', path } };
}

/** Bytes from standard input as a source; their name has no extension, so that the bytes give it one. */
export function bytesSource(bytes: Uint8Array, argument: number): LocalSource {
  return {
    name: '-',
    root: '',
    relative: 'stdin',
    argument,
    explicit: true,
    input: { kind: 'bytes', bytes },
  };
}

/** The source with its bytes fetched where they were far away. */
export async function localSource(source: Source, signal?: AbortSignal): Promise<LocalSource> {
  const { input } = source;
  if (input.kind !== 'remote') return { ...source, input };
  return { ...source, input: { kind: 'bytes', bytes: await input.fetch(signal) } };
}
