import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { expected, ImgtoolError } from '../../errors.js';
import { CallFailure, callFailure } from './failure.js';

/** Where a gRPC server is, and what it wants. */
export interface Dial {
  /** `host:port`. */
  readonly target: string;
  /** Speak TLS, to a server that shows a certificate of these authorities, in PEM, or of those that Node knows. */
  readonly tls?: { readonly ca?: Buffer };
  readonly token?: string;
}

/** Time to connect, in milliseconds. */
const CONNECT_MS = 5000;

/**
 * A line to one server. It connects when a call needs it, and anew after it broke: gRPC's own channel would try again
 * in its own time, and answer for the server meanwhile.
 */
export class Line {
  readonly #dial: Dial;
  readonly #options: ChannelOptions;
  #client: Client | undefined;
  #calls = 0;
  #broken = false;

  constructor(dial: Dial, options: ChannelOptions = {}) {
    this.#dial = dial;
    this.#options = options;
  }

  /** Makes a call, once connected. Throws a CallFailure for what it comes to, and E_UPSTREAM when nobody is there. */
  async call<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#client ??= dialled(this.#dial, this.#options);
    const client = this.#client;
    this.#calls += 1;
    try {
      await settledConnection(client, this.#dial.target);
      return await work(client);
    } catch (thrown) {
      const failure = callFailure(thrown, this.#dial.target);
      this.#broken ||= failure instanceof CallFailure && !failure.answered;
      throw failure;
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0 && this.#broken) this.close();
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
    this.#broken = false;
  }
}

function dialled({ target, tls }: Dial, options: ChannelOptions): Client {
  const secure = tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.ca);
  return new Client(target, secure, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    // two lines to one address must not share a connection that one of them closes
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
}

/** What goes with every call: the token. */
export function metadataFor({ token }: Dial): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** Waits until the client is connected, or has failed to: a call tells why then. Throws E_UPSTREAM when nobody answers at all. */
async function settledConnection(client: Client, target: string): Promise<void> {
  const { IDLE, CONNECTING } = connectivityState;
  const until = Date.now() + CONNECT_MS;
  for (;;) {
    const state = client.getChannel().getConnectivityState(true);
    if (state !== IDLE && state !== CONNECTING) return;
    if (!(await changed(client, state, until)))
      throw new ImgtoolError(
        'E_UPSTREAM',
        expected(`a connection to ${target} within ${CONNECT_MS / 1000} s`, 'none'),
      );
  }
}

function changed(client: Client, state: connectivityState, until: number): Promise<boolean> {
  return new Promise((resolve) =>
    client.getChannel().watchConnectivityState(state, until, (error) => resolve(error === undefined)),
  );
}

/** A method of a service that the protocol buffers declare. */
export function methodOf(service: ServiceDefinition, name: string): ServiceDefinition[string] {
  const method = service[name];
  if (method === undefined) throw new ImgtoolError('E_INTERNAL', expected('a method of the service', name));
  return method;
}
