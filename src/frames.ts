import { type Opening, opened, pixelsOf } from './canvas.js';
import type { Header } from './codecs/header.js';
import type { Input } from './codecs/input.js';
import type { Pixels } from './kernels/pixels.js';

/**
 * The decoded frames of an animation or the pages of a document, in order. Animations are decoded as one strip,
 * since each frame builds on those before; TIFF pages are read one by one, since their sizes may differ.
 */
export async function* framePixels(
  input: Input,
  header: Header,
  count: number,
  opening: Opening,
): AsyncGenerator<Pixels> {
  if (header.format === 'tiff') yield* pages(input, header, count, opening);
  else
    yield* cut(
      await pixelsOf(opened(input, header, { first: 0, count }, opening), header.shape),
      header.stored.height,
    );
}

async function* pages(input: Input, header: Header, count: number, opening: Opening): AsyncGenerator<Pixels> {
  for (let first = 0; first < count; first += 1) {
    yield await pixelsOf(opened(input, header, { first, count: 1 }, opening), header.shape);
  }
}

function* cut(strip: Pixels, height: number): Generator<Pixels> {
  const samples = height * strip.width * strip.channels;
  for (let at = 0; at < strip.data.length; at += samples)
    yield { ...strip, height, data: strip.data.subarray(at, at + samples) };
}
