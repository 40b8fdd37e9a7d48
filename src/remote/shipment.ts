import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Input } from '../codecs/input.js';
import { expected, ImgtoolError, toImgtoolError } from '../errors.js';
import { PIECE, type Shipment } from '../server/grpc/imgtool-client.js';

/** An input made ready to be sent: hashed, and read anew, in pieces, for each try. Throws E_NOT_FOUND or E_READ. */
export async function shipmentOf(input: Input): Promise<Shipment> {
  const pieces = (from: number): AsyncIterable<Uint8Array> => piecesOf(input, from);
  const hash = createHash('sha256');
  for await (const piece of pieces(0)) hash.update(piece);
  const size = await sizeOf(input);
  const whole = (from: number) => unchanged(pieces(from), size - from);
  return { size, sha256: hash.digest('hex'), uploadId: randomUUID(), pieces: whole };
}

async function sizeOf(input: Input): Promise<number> {
  return input.kind === 'bytes' ? input.bytes.length : (await stat(input.path)).size;
}

async function* piecesOf(input: Input, from: number): AsyncGenerator<Uint8Array> {
  if (input.kind === 'bytes') {
    for (let at = from; at < input.bytes.length; at += PIECE) yield input.bytes.subarray(at, at + PIECE);
    return;
  }
  try {
    const options = { start: from, highWaterMark: PIECE };
    yield* createReadStream(input.path, options) as AsyncIterable<Buffer>;
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read' });
  }
}

async function* unchanged(pieces: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const piece of pieces) {
    seen += piece.length;
    if (seen > size) break;
    yield piece;
  }
  if (seen !== size) throw changedInput();
}

/** The refusal of a file that is another one by the time it has been sent. */
export function changedInput(): ImgtoolError {
  return new ImgtoolError(
    'E_CHANGED',
    expected('a file that stays as it is while it is sent', 'a newer one'),
    {
      stage: 'read',
    },
  );
}
