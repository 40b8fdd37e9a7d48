import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';
import type * as Definitions from '../../src/server/grpc/definitions.js';

const built = new URL('../../dist/server/grpc/definitions.js', import.meta.url).href;
const { DEFINITIONS }: typeof Definitions = await import(built);

/** The built definitions of all services. */
export const definitions: PackageDefinition = DEFINITIONS;

/** Options of one call. */
export interface CallOptions {
  readonly token?: string;
  /** Milliseconds from now. */
  readonly deadlineMs?: number;
  readonly gzip?: boolean;
  readonly signal?: AbortSignal;
}

/** A client of one of imgtool's services by its full name, closed when the running test ends. */
export function grpcClient(port: number, service: string, creds?: ChannelCredentials) {
  return clientOf(port, definitions, service, creds);
}

/** A client of any service. */
export function clientOf(
  port: number,
  known: PackageDefinition,
  service: string,
  creds: ChannelCredentials = credentials.createInsecure(),
) {
  const connected = (compression: 0 | 2) => {
    const client = new Client(`127.0.0.1:${port}`, creds, {
      'grpc.max_receive_message_length': -1,
      'grpc.default_compression_algorithm': compression,
      'grpc.use_local_subchannel_pool': 1,
      // with TLS, names are for hosts and not for addresses
      'grpc.ssl_target_name_override': 'localhost',
    });
    onTestFinished(() => client.close());
    return client;
  };
  const plain = connected(0);
  // 2 is gzip
  const gzip = connected(2);
  const methods = known[service] as ServiceDefinition;
  return {
    /** Calls a unary method. */
    unary<A>(name: string, request: object, options: CallOptions = {}): Promise<A> {
      const { path, requestSerialize, responseDeserialize } = methods[name] as ServiceDefinition[string];
      return new Promise((resolve, reject) => {
        const call = (options.gzip === true ? gzip : plain).makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(options),
          callOptions(options),
          (error, answer) => (error === null ? resolve(answer as A) : reject(error)),
        );
        options.signal?.addEventListener('abort', () => call.cancel());
      });
    },
    /** Calls a method that streams its answers. */
    answers<A>(name: string, request: object, options: CallOptions = {}): ClientReadableStream<A> {
      const { path, requestSerialize, responseDeserialize } = methods[name] as ServiceDefinition[string];
      return plain.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(options),
        callOptions(options),
      ) as ClientReadableStream<A>;
    },
    /** Opens a method that streams both ways. */
    stream(name: string, options: CallOptions = {}) {
      const { path, requestSerialize, responseDeserialize } = methods[name] as ServiceDefinition[string];
      return plain.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadataOf(options),
        callOptions(options),
      );
    },
  };
}

/** All that a stream answers. */
export async function collected<A>(
  stream: Pick<ClientReadableStream<unknown>, typeof Symbol.asyncIterator>,
): Promise<A[]> {
  const answers: A[] = [];
  for await (const answer of stream) answers.push(answer as A);
  return answers;
}

/** What a failed call says: its code, and the reason of its details. */
export async function failure(
  call: Promise<unknown>,
): Promise<Pick<ServiceError, 'code' | 'details'> & { rich: string }> {
  try {
    await call;
  } catch (thrown) {
    const { code, details, metadata } = thrown as ServiceError;
    const rich = metadata?.get('grpc-status-details-bin')[0];
    return { code, details, rich: Buffer.isBuffer(rich) ? rich.toString('latin1') : '' };
  }
  throw new Error('expected a call that fails');
}

function metadataOf({ token }: CallOptions): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

function callOptions({ deadlineMs }: CallOptions) {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
