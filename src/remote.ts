import type { Errand, Made } from './process.js';
import type { Recipe } from './recipe.js';
import type { ServerAddress } from './remote/addresses.js';
import { byImgtool } from './remote/imgtool.js';
import { byNLImage } from './remote/nlimage.js';
import { type PoolOptions, pool } from './remote/pool.js';
import type { Dial } from './server/grpc/dial.js';
import { imgtoolClient } from './server/grpc/imgtool-client.js';
import { jobsClient } from './server/grpc/jobs-client.js';
import { nlimageClient } from './server/grpc/nlimage-client.js';

export { isLoopback, type ServerAddress, serverAddresses } from './remote/addresses.js';
export { checkSteps } from './remote/nlimage.js';

/** Which services the servers have. */
export type Protocol = 'imgtool' | 'nlimage';

/** How servers elsewhere are used. */
export interface RemoteOptions extends PoolOptions {
  readonly servers: readonly ServerAddress[];
  readonly protocol: Protocol;
  readonly token: string | undefined;
  /** Certificates of the authorities that servers are trusted by, in PEM; those that Node knows by default. */
  readonly ca: Buffer | undefined;
}

/** Servers that make results. */
export interface Remote {
  elsewhere(errand: Errand): Promise<Made>;
  close(): void;
}

/** Servers that take pictures as jobs. */
export interface RemoteQueue {
  /** Queues a picture; gives the job's id, and the server that has it. A connection that breaks may leave it queued twice. */
  submit(image: Buffer, name: string, signal: AbortSignal): Promise<QueuedJob>;
  close(): void;
}

/** A job that a server has accepted. */
export interface QueuedJob {
  readonly id: string;
  /** `host:port`. */
  readonly server: string;
}

/** What comes in hundreds lets single requests pass; see SubmitJobRequest. */
const BATCH_PRIORITY = -1;

/** Servers to leave work at, connected to when the first picture comes. */
export function remoteQueue(options: RemoteOptions, recipe: Recipe): RemoteQueue {
  const members = options.servers.map((server) => {
    const { target } = server;
    return { name: target, client: { target, ...jobsClient(dialOf(server, options)) } };
  });
  const servers = pool(members, options);
  return {
    submit: (image, name, signal) =>
      servers.run(async ({ client }) => {
        const id = await client.submit({ image, recipe, name, priority: BATCH_PRIORITY }, signal);
        return { id, server: client.target };
      }),
    close: closing(members),
  };
}

/** Time for one call to a server of NLImageService, in milliseconds. */
const CALL_MS = 60_000;

/** Servers to process at, connected to when the first picture comes. */
export function remote(options: RemoteOptions): Remote {
  const connected = <C>(connect: (dial: Dial) => C) =>
    options.servers.map((server) => ({ name: server.target, client: connect(dialOf(server, options)) }));
  if (options.protocol === 'nlimage') {
    const members = connected((dial) => nlimageClient(dial, CALL_MS));
    return { elsewhere: byNLImage(pool(members, options)), close: closing(members) };
  }
  const members = connected(imgtoolClient);
  return { elsewhere: byImgtool(pool(members, options)), close: closing(members) };
}

function closing(members: readonly { readonly client: { close(): void } }[]): () => void {
  return () => members.forEach(({ client }) => void client.close());
}

function dialOf({ target, tls }: ServerAddress, { token, ca }: RemoteOptions): Dial {
  return {
    target,
    ...(tls && { tls: { ...(ca && { ca }) } }),
    ...(token !== undefined && { token }),
  };
}
