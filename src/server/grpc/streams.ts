import type { ServerDuplexStream } from '@grpc/grpc-js';
import { expected, ImgtoolError } from '../../errors.js';
import { orAborted } from '../deadline.js';
import type { Served } from '../service.js';
import type { Upload } from '../spool.js';
import { type Doors, duplex, type Traffic, unary } from './calls.js';
import type {
  ProcessStreamRequest,
  ProcessStreamResponse,
  QueryUploadRequest,
  QueryUploadResponse,
  Spec,
} from './messages.js';
import { imageMessage } from './pictures.js';
import { recipeFromMessage } from './recipe-message.js';
import type { UploadInPieces, Uploads } from './uploads.js';

type Call = ServerDuplexStream<ProcessStreamRequest, ProcessStreamResponse>;

/** Bytes of a result in one message: large enough to be few, small enough not to hold up other calls. */
export const CHUNK = 128 * 1024;

/** `ProcessStream` and `QueryUpload`. */
export function streamMethods(doors: Doors, uploads: Uploads) {
  const { service } = doors;
  return {
    processStream: duplex<ProcessStreamRequest, ProcessStreamResponse>(
      doors,
      async (call, signal, traffic) => {
        // what breaks a stream must not end the process; the signal tells of it
        call.on('error', () => undefined);
        const messages = call.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
        const spec = specOf(await nextOf(messages, signal));
        const recipe = recipeFromMessage(spec.recipe);
        service.checkRoom();
        const upload = await received(messages, uploads.begin(spec), signal);
        traffic.bytesIn = upload.size;
        try {
          await sent(call, await service.process(upload, recipe, signal), signal, traffic);
        } finally {
          upload.release();
        }
      },
    ),
    queryUpload: unary<QueryUploadRequest, QueryUploadResponse>(doors, async ({ uploadId }) => ({
      committedBytes: uploads.committed(uploadId),
    })),
  };
}

type Messages = AsyncIterator<ProcessStreamRequest>;

/** The next message, or undefined after the last; a caller that stops sending without an end is bounded by the signal. */
async function nextOf(messages: Messages, signal: AbortSignal): Promise<ProcessStreamRequest | undefined> {
  const { done, value } = await orAborted(messages.next(), signal);
  return done === true ? undefined : value;
}

function specOf(first: ProcessStreamRequest | undefined): Spec {
  if (first?.spec !== undefined && first.spec !== null) return first.spec;
  throw new ImgtoolError('E_USAGE', expected('a spec first', first?.message ?? 'nothing'), {
    field: 'message',
  });
}

/** The whole upload. What broke off with the stream is kept; what was wrong in itself is not. A cancelled stream may look ended. */
async function received(messages: Messages, pieces: UploadInPieces, signal: AbortSignal): Promise<Upload> {
  let ended = false;
  try {
    for (;;) {
      const message = await nextOf(messages, signal);
      ended = message === undefined;
      if (message === undefined) return await pieces.finish();
      if (message.chunk === undefined || message.chunk === null)
        throw new ImgtoolError('E_USAGE', expected('chunks after the spec', 'a second spec'), {
          field: 'message',
        });
      await pieces.append(message.chunk);
    }
  } catch (thrown) {
    await (signal.aborted || (ended && pieces.isShort()) ? pieces.break() : pieces.abandon());
    throw signal.aborted ? signal.reason : thrown;
  }
}

async function sent(
  call: Call,
  { images, notes }: Served,
  signal: AbortSignal,
  traffic: Traffic,
): Promise<void> {
  for (const [index, image] of images.entries()) {
    const { bytes } = image;
    await write(call, { meta: { index, image: imageMessage(image), size: bytes.length, notes } }, signal);
    for (let offset = 0; offset < bytes.length; offset += CHUNK) {
      await write(call, { chunk: { offset, data: bytes.subarray(offset, offset + CHUNK) } }, signal);
    }
    traffic.bytesOut += bytes.length;
  }
}

/** The side of a call that answers are written to. */
export interface Outgoing<A> {
  write(answer: A): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Waits for a slow reader, so that results do not pile up in memory. */
export async function write<A>(call: Outgoing<A>, message: A, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (call.write(message)) return;
  await orAborted(new Promise<void>((resolve) => call.once('drain', resolve)), signal);
}
