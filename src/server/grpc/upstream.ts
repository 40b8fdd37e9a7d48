import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { extensionOf, formats } from '../../codecs/extensions.js';
import { ERRORS, type ErrorCode, expected, ImgtoolError } from '../../errors.js';
import { type Recipe, recipeJson } from '../../recipe.js';
import type { ServedImage } from '../service.js';
import type { SpooledInput } from '../spool.js';
import { IMAGE_SERVICE, reasonOf } from './definitions.js';
import type { ProcessStreamRequest, ProcessStreamResponse } from './messages.js';
import { WINDOW } from './window.js';

/** A processing service elsewhere, spoken to as `imgtool.v1`. */
export interface Upstream {
  /** Runs a recipe there. Throws the error that the service names, or E_UPSTREAM when it does not answer. */
  process(input: SpooledInput, recipe: Recipe, signal: AbortSignal): Promise<readonly ServedImage[]>;
  close(): void;
}

const CHUNK = 128 * 1024;

/** Connects to `host:port`, when it is first needed. */
export function upstream(address: string, token: string | undefined): Upstream {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc-node.flow_control_window': WINDOW,
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const { path, requestSerialize, responseDeserialize } = methodOf('ProcessStream');
  return {
    async process(input, recipe, signal) {
      const call: Call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
      const abort = (): void => call.cancel();
      signal.addEventListener('abort', abort, { once: true });
      try {
        const [images] = await Promise.all([collected(call), sent(call, input, recipe)]);
        return images;
      } catch (thrown) {
        call.cancel();
        throw signal.aborted ? signal.reason : errorFrom(thrown, address);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    close: () => client.close(),
  };
}

type Call = ClientDuplexStream<ProcessStreamRequest, ProcessStreamResponse>;

function methodOf(name: string) {
  const method = IMAGE_SERVICE[name];
  if (method === undefined) throw new ImgtoolError('E_INTERNAL', expected('a method of the service', name));
  return method;
}

async function sent(call: Call, { path, size, identity }: SpooledInput, recipe: Recipe): Promise<void> {
  const message = { json: JSON.stringify(recipeJson(recipe)), steps: [], outputs: [] };
  const sha256 = /^[0-9a-f]{64}$/.test(identity) ? identity : '';
  call.write({ spec: { recipe: message, totalSize: size, sha256, uploadId: '' } });
  let offset = 0;
  for await (const data of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    if (call.destroyed || call.writableEnded) return;
    // a call that ends while it is full will never drain
    if (!call.write({ chunk: { offset, data } }))
      await Promise.race([once(call, 'drain'), once(call, 'close')]);
    offset += data.length;
  }
  call.end();
}

async function collected(call: Call): Promise<ServedImage[]> {
  const images: { image: Omit<ServedImage, 'bytes'>; chunks: Uint8Array[] }[] = [];
  for await (const { meta, chunk } of call as AsyncIterable<ProcessStreamResponse>) {
    if (meta) images.push({ image: imageFrom(meta.image), chunks: [] });
    if (chunk) images.at(-1)?.chunks.push(chunk.data);
  }
  return images.map(({ image, chunks }) => ({ ...image, bytes: Buffer.concat(chunks) }));
}

function imageFrom({
  format: name,
  width,
  height,
  frames,
}: NonNullable<ProcessStreamResponse['meta']>['image']) {
  const format = formats().find((known) => known === name);
  if (format === undefined)
    throw new ImgtoolError('E_UPSTREAM', expected('a picture in a known format', name), { stage: 'process' });
  return { format, extension: extensionOf(format), width, height, frames };
}

/** The error that the service named in its details, or what its status says. */
function errorFrom(thrown: unknown, address: string): ImgtoolError {
  if (thrown instanceof ImgtoolError) return thrown;
  const { code, details, metadata } = thrown as Partial<ServiceError>;
  const reason = reasonOf(metadata?.get('grpc-status-details-bin')[0]);
  if (reason !== undefined && reason in ERRORS)
    return new ImgtoolError(reason as ErrorCode, details ?? '', { stage: 'process', cause: thrown });
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED)
    return new ImgtoolError('E_INTERNAL', `${address} does not let this server in`, { cause: thrown });
  return new ImgtoolError('E_UPSTREAM', expected(`an answer from ${address}`, details ?? 'none'), {
    cause: thrown,
  });
}
