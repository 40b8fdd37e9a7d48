/** Samples as they lie in memory: 8-bit or 16-bit, 0 to 255 or 0 to 65535. */
export type Samples = Uint8Array | Uint16Array;

/** A decoded picture: rows top to bottom, channels interleaved; with 2 or 4 channels the last one is alpha. */
export interface Pixels {
  readonly data: Samples;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** Zeroed samples of the same depth as `like`. */
export function blankSamples(like: Samples, length: number): Samples {
  return like instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}

/** {@link blankSamples} in memory that threads can share. */
export function sharedSamples(like: Samples, length: number): Samples {
  const buffer = new SharedArrayBuffer(length * like.BYTES_PER_ELEMENT);
  countShared(buffer);
  return like instanceof Uint16Array ? new Uint16Array(buffer) : new Uint8Array(buffer);
}

// V8 leaves shared memory out when it decides to collect: pictures would pile up, a gigabyte in twenty. An ordinary
// buffer of that length, living as long, counts in its place; never written, it takes addresses rather than memory.
// Only the owner's thread does so: counted in each band's thread too, the collections cost a third of the gain.
function countShared(buffer: SharedArrayBuffer): void {
  counted.set(buffer, new ArrayBuffer(buffer.byteLength));
}

const counted = new WeakMap<SharedArrayBuffer, ArrayBuffer>();

/**
 * `length` samples of `data` from `start`, as a view. Always a bare typed array, never a Buffer: the inner
 * loops stay fast only while they meet few kinds of array.
 */
export function viewSamples(data: Samples, start: number, length: number): Samples {
  return data instanceof Uint16Array
    ? new Uint16Array(data.buffer, data.byteOffset + 2 * start, length)
    : new Uint8Array(data.buffer, data.byteOffset + start, length);
}
