import type { Socket } from 'node:net';
import { bearerAuth } from './auth.js';
import type { AddressRules } from './fetch/guard.js';
import type { Root } from './fetch/roots.js';
import { sources } from './fetch/sources.js';
import { grpcDoor } from './grpc/door.js';
import { httpApp } from './http/app.js';
import { docsRoutes } from './http/docs.js';
import { type FrontSettings, frontRoutes } from './http/front-routes.js';
import { healthRoutes } from './http/health-routes.js';
import { pictureRoutes } from './http/picture-routes.js';
import { type Addresses, type Listening, listen } from './listen.js';
import type { Logs } from './logs.js';
import { serverMetrics } from './metrics.js';
import { type ImageService, imageService, type ServiceOptions } from './service.js';

/** What all servers are told. */
export interface CommonOptions extends Addresses {
  /** What callers must bring as `Authorization: Bearer TOKEN`. */
  readonly token?: string;
  /** Patterns of URLs that may be fetched. */
  readonly urls: readonly string[];
  readonly addresses: AddressRules;
  /** What `/image` makes of every picture. */
  readonly front: FrontSettings;
  readonly logs: Logs;
}

/** How a server is set up. */
export interface ServerOptions extends Omit<ServiceOptions, 'log'>, CommonOptions {
  readonly roots: readonly Root[];
  readonly version: string;
  /** Most bytes of one gRPC message, decompressed. */
  readonly messageBytes: number;
  /** Tell gRPC clients what services there are. */
  readonly reflection: boolean;
}

/** A server that runs. */
export interface RunningServer extends Listening {
  readonly service: ImageService;
}

/** Starts a server: one service, and all doors to it on every port. Throws E_USAGE for a taken port or a bad pattern. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logs } = options;
  const service = imageService({ ...options, log: (event) => logs.workers.info(event, event.message) });
  try {
    return { service, ...(await opened(options, service)) };
  } catch (thrown) {
    await service.close();
    throw thrown;
  }
}

async function opened(options: ServerOptions, service: ImageService): Promise<Listening> {
  const { limits, spool } = service;
  const { urls, roots, addresses, logs } = options;
  const from = sources({ ...addresses, urls, roots }, limits, spool);
  const shared = { auth: bearerAuth(options.token), logs, metrics: serverMetrics(service) };
  const draining = (): boolean => service.state().draining;
  const retryAfter = (): number => service.retryAfter();
  const http = await httpApp({ ...shared, totalMs: limits.totalMs, retryAfter, draining }, (app) => {
    pictureRoutes(app, { service, sources: from });
    frontRoutes(app, {
      settings: options.front,
      visits: service,
      limits,
      spool,
      sources: from,
      process: alone,
    });
    healthRoutes(app, shared.metrics, () => unready(service));
    docsRoutes(app, options.version);
  });
  const grpc = grpcDoor({ ...options, ...shared, service });
  const protocols = {
    http: (socket: Socket) => void http.server.emit('connection', socket),
    http2: (socket: Socket) => grpc.take(socket),
  };
  return listen(options, protocols, {
    goingDown: () => grpc.notServing(),
    drain: () => service.drain(),
    letGo() {
      http.server.closeIdleConnections();
      grpc.letGo();
    },
    async close() {
      await Promise.all([http.app.close(), grpc.close(), from.close()]);
      await service.close();
    },
  });

  async function alone(...request: Parameters<ImageService['process']>) {
    const { images } = await service.process(...request);
    return images[0];
  }
}

/** No new requests while it goes down, or while more wait than could be answered in good time. */
function unready(service: ImageService): string | undefined {
  const { draining, waiting, workersIdle, workersBusy } = service.state();
  if (draining) return 'draining';
  if (workersIdle.length + workersBusy.length === 0) return 'no decoder process';
  return waiting >= service.limits.queue && waiting > 0 ? 'queue full' : undefined;
}
