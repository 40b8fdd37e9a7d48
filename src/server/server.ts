import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { bearerAuth } from './auth.js';
import { type CompatOptions, compatKinds, compatRoutes } from './compat/index.js';
import { pageRoutes } from './dashboard/routes.js';
import type { AddressRules } from './fetch/guard.js';
import type { Root } from './fetch/roots.js';
import { type Sources, sources } from './fetch/sources.js';
import { grpcDoor } from './grpc/door.js';
import { httpApp } from './http/app.js';
import { docsRoutes } from './http/docs.js';
import { keepForeignPagesOut } from './http/foreign.js';
import { type FrontSettings, frontRoutes } from './http/front-routes.js';
import { healthRoutes } from './http/health-routes.js';
import { jobRoutes } from './http/job-routes.js';
import { linkBase } from './http/links.js';
import { operationsRoute } from './http/operations-route.js';
import { pictureRoutes } from './http/picture-routes.js';
import { type JobDesk, type JobOptions, openDesk } from './jobs/desk.js';
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
  /** What links begin with, without a slash at its end; by default what each request says. */
  readonly publicUrl?: string;
  /** Proxies whose word on their clients is believed; none by default. */
  readonly trustProxy?: string;
}

/** How a server is set up. */
export interface ServerOptions extends Omit<ServiceOptions, 'log'>, CommonOptions {
  readonly roots: readonly Root[];
  readonly version: string;
  /** Where jobs are queued; without it all is done at once or not at all. */
  readonly jobs?: JobOptions;
  /** Which APIs of other services are answered beside our own; none by default. */
  readonly compat?: CompatOptions;
  /** Most bytes of one gRPC message, decompressed. */
  readonly messageBytes: number;
  /** Tell gRPC clients what services there are. */
  readonly reflection: boolean;
}

/** A server that runs. */
export interface RunningServer extends Listening {
  readonly service: ImageService;
  readonly desk: JobDesk | undefined;
}

/** Starts a server: one service, and all doors to it on every port. Throws E_USAGE for a taken port or a bad pattern. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logs } = options;
  const service = imageService({ ...options, log: (event) => logs.workers.info(event, event.message) });
  const { urls, roots, addresses } = options;
  const from = sources({ ...addresses, urls, roots }, service.limits, service.spool);
  let desk: JobDesk | undefined;
  try {
    const failed = (job: string, err: unknown): void => logs.errors.error({ job, err }, 'a job failed');
    const kinds = compatKinds(bucketParent(options));
    desk = options.jobs && (await openDesk(options.jobs, { service, sources: from, kinds, failed }));
    return { service, desk, ...(await opened(options, { service, sources: from, desk })) };
  } catch (thrown) {
    await desk?.close(0);
    await service.close();
    throw thrown;
  }
}

/** Where the uploads of `/create` are kept for good. */
function bucketParent({ compat, jobs }: ServerOptions): string {
  return resolve(compat?.bucketParent ?? jobs?.folder ?? '.');
}

/** What the doors open to. */
interface House {
  readonly service: ImageService;
  readonly sources: Sources;
  readonly desk: JobDesk | undefined;
}

async function opened(options: ServerOptions, house: House): Promise<Listening> {
  const { service, sources: from, desk } = house;
  const { limits, spool } = service;
  const { logs } = options;
  const { trustProxy } = options;
  const shared = {
    auth: bearerAuth(options.token),
    logs,
    metrics: serverMetrics(service, desk?.queue),
    ...(trustProxy !== undefined && { trustProxy }),
  };
  const draining = (): boolean => service.state().draining;
  const retryAfter = (): number => service.retryAfter();
  const http = await httpApp({ ...shared, totalMs: limits.totalMs, retryAfter, draining }, (app) => {
    keepForeignPagesOut(app, options);
    pictureRoutes(app, { service, sources: from, desk, publicUrl: options.publicUrl });
    frontRoutes(app, {
      settings: options.front,
      visits: service,
      limits,
      spool,
      sources: from,
      process: alone,
    });
    jobRoutes(app, { desk, service });
    if (options.compat !== undefined)
      compatRoutes(app, options.compat, {
        ...house,
        roots: options.roots,
        linkBase: linkBase(options.publicUrl),
        bucketParent: bucketParent(options),
      });
    healthRoutes(app, shared.metrics, () => unready(house));
    pageRoutes(app, { ...options, jobs: desk !== undefined });
    operationsRoute(app);
    docsRoutes(app, options.version, options.publicUrl);
  });
  const grpc = grpcDoor({ ...options, ...shared, service, sources: from, desk });
  const protocols = {
    http: (socket: Socket) => void http.server.emit('connection', socket),
    http2: (socket: Socket) => grpc.take(socket),
  };
  return listen(options, protocols, {
    goingDown() {
      grpc.notServing();
      desk?.drain();
    },
    async drain() {
      await service.drain();
      await desk?.close();
    },
    letGo() {
      http.server.closeIdleConnections();
      grpc.letGo();
    },
    async close() {
      await Promise.all([http.app.close(), grpc.close(), desk?.close(0)]);
      await from.close();
      await service.close();
    },
  });

  async function alone(...request: Parameters<ImageService['process']>) {
    const { images } = await service.process(...request);
    return images[0];
  }
}

/** No new requests while it goes down, or while more wait than could be answered in good time. */
async function unready({ service, desk }: House): Promise<string | undefined> {
  const { draining, waiting, workersIdle, workersBusy } = service.state();
  if (draining) return 'draining';
  if (workersIdle.length + workersBusy.length === 0) return 'no decoder process';
  if (waiting >= service.limits.queue && waiting > 0) return 'queue full';
  return desk?.unready();
}
