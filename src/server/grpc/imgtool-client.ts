import { once } from 'node:events';
import type { Client, ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { extensionOf, formats } from '../../codecs/extensions.js';
import { expected, ImgtoolError } from '../../errors.js';
import { type Recipe, recipeJson } from '../../recipe.js';
import type { ServedImage } from '../service.js';
import { IMAGE_SERVICE } from './definitions.js';
import { type Dial, Line, metadataFor, methodOf } from './dial.js';
import type {
  ImageMessage,
  ProcessStreamRequest,
  ProcessStreamResponse,
  QueryUploadRequest,
  QueryUploadResponse,
} from './messages.js';
import { WINDOW } from './window.js';

/** A picture on its way to a server. */
export interface Shipment {
  /** Size in bytes. */
  readonly size: number;
  /** SHA-256 of its bytes in hexadecimal; empty when it is not known. */
  readonly sha256: string;
  /** Under which it can be taken up again when it breaks off: 16 to 64 letters, digits, dashes; empty for not at all. */
  readonly uploadId: string;
  /** Its bytes from an offset on, in pieces of at most {@link PIECE}. */
  pieces(from: number): AsyncIterable<Uint8Array>;
}

/** Bytes of a picture in one message: large enough to be few, small enough not to hold up other calls. */
export const PIECE = 128 * 1024;

/** What a server made of a picture. */
export interface Delivered {
  /** In the order of the recipe's outputs. */
  readonly images: readonly ServedImage[];
  readonly notes: readonly string[];
}

/** A connection to a server of `imgtool.v1`. Its calls throw {@link CallFailure}, and the signal's reason. */
export interface ImgtoolClient {
  /** Runs a recipe there over a picture, of which the server has the first `from` bytes already. */
  process(shipment: Shipment, recipe: Recipe, from: number, signal: AbortSignal): Promise<Delivered>;
  /** Bytes that the server kept of an upload that broke off; 0 when it knows of none. */
  committed(uploadId: string, signal: AbortSignal): Promise<number>;
  close(): void;
}

/** A client of `imgtool.v1`, which connects when it is first used. */
export function imgtoolClient(dial: Dial): ImgtoolClient {
  const line = new Line(dial, {
    'grpc-node.flow_control_window': WINDOW,
    // a server that is gone without a word is noticed
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const metadata = metadataFor(dial);
  const call = async <T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await line.call(work);
    } catch (thrown) {
      throw signal.aborted ? signal.reason : thrown;
    }
  };
  return {
    process: (shipment, recipe, from, signal) =>
      call(signal, (client) => {
        const { path, requestSerialize, responseDeserialize } = methodOf(IMAGE_SERVICE, 'ProcessStream');
        const stream: Call = client.makeBidiStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadata,
          { deadline: Date.now() + LONGEST_MS },
        );
        return bounded(stream, signal, async () => {
          const [delivered] = await Promise.all([collected(stream), sent(stream, shipment, recipe, from)]);
          return delivered;
        });
      }),
    committed: (uploadId, signal) => call(signal, (client) => queried(client, uploadId, metadata)),
    close: () => line.close(),
  };
}

/** Time for one picture, in milliseconds: a server has a bound of its own, unless something between here and there hangs. */
const LONGEST_MS = 300_000;

/** Time for a question that a server answers from memory, in milliseconds. */
const QUERY_MS = 10_000;

function queried(client: Client, uploadId: string, metadata: Metadata): Promise<number> {
  const { path, requestSerialize, responseDeserialize } = methodOf(IMAGE_SERVICE, 'QueryUpload');
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<QueryUploadRequest, QueryUploadResponse>(
      path,
      requestSerialize,
      responseDeserialize,
      { uploadId },
      metadata,
      { deadline: Date.now() + QUERY_MS },
      (error, answer) => (error === null ? resolve(answer?.committedBytes ?? 0) : reject(error)),
    );
  });
}

type Call = ClientDuplexStream<ProcessStreamRequest, ProcessStreamResponse>;

/** Cancels the call when the signal is aborted, or its work fails. */
async function bounded<T>(call: Call, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const abort = (): void => call.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work();
  } catch (thrown) {
    call.cancel();
    throw thrown;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function sent(call: Call, shipment: Shipment, recipe: Recipe, from: number): Promise<void> {
  const { size: totalSize, sha256, uploadId } = shipment;
  const message = { json: JSON.stringify(recipeJson(recipe)), steps: [], outputs: [] };
  call.write({ spec: { recipe: message, totalSize, sha256, uploadId } });
  let offset = from;
  for await (const piece of shipment.pieces(from)) {
    if (call.destroyed || call.writableEnded) return;
    const data = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    // a call that ends while it is full will never drain
    if (!call.write({ chunk: { offset, data } }))
      await Promise.race([once(call, 'drain'), once(call, 'close')]);
    offset += data.length;
  }
  call.end();
}

async function collected(call: Call): Promise<Delivered> {
  const arrived: { image: Omit<ServedImage, 'bytes'>; chunks: Uint8Array[] }[] = [];
  const notes = new Set<string>();
  for await (const { meta, chunk } of call as AsyncIterable<ProcessStreamResponse>) {
    if (meta) arrived.push({ image: imageFrom(meta.image), chunks: [] });
    for (const note of meta?.notes ?? []) notes.add(note);
    if (chunk) arrived.at(-1)?.chunks.push(chunk.data);
  }
  const images = arrived.map(({ image, chunks }) => ({ ...image, bytes: Buffer.concat(chunks) }));
  return { images, notes: [...notes] };
}

function imageFrom({ format: name, width, height, frames }: ImageMessage): Omit<ServedImage, 'bytes'> {
  const format = formats().find((known) => known === name);
  if (format === undefined)
    throw new ImgtoolError('E_PROCESS', expected('a picture in a known format', name), { stage: 'process' });
  return { format, extension: extensionOf(format), width, height, frames };
}
