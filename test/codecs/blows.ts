import fc from 'fast-check';

/** One blow: where, as parts of 1e5 of the length; headers are hit more often than their share of bytes. */
export const blow = fc.record({
  kind: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'insert', 'drop', 'marker'),
  place: fc.oneof(
    { arbitrary: fc.nat({ max: 99_999 }), weight: 3 },
    { arbitrary: fc.nat({ max: 9_999 }), weight: 1 },
  ),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
});

export type Blow = typeof blow extends fc.Arbitrary<infer T> ? T : never;

/** The file after that blow. */
export function strike(jpeg: Buffer, { kind, place, bytes }: Blow): Buffer {
  const at = Math.floor((place / 1e5) * jpeg.length);
  if (kind === 'cut') return jpeg.subarray(0, at);
  if (kind === 'insert') return Buffer.concat([jpeg.subarray(0, at), bytes, jpeg.subarray(at)]);
  if (kind === 'drop') return Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + bytes.length)]);
  const [first = 0] = bytes;
  const hit = Buffer.from(jpeg);
  const near = kind === 'flip' ? at : Math.max(0, jpeg.indexOf(0xff, at)) + (first % 12);
  if (near < hit.length) hit[near] = (hit[near] ?? 0) ^ (1 << (first % 8));
  return hit;
}
