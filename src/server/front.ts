import { tmpdir } from 'node:os';
import { expected, ImgtoolError } from '../errors.js';
import { bearerAuth } from './auth.js';
import { sources } from './fetch/sources.js';
import { upstream } from './grpc/upstream.js';
import { httpApp } from './http/app.js';
import { frontRoutes } from './http/front-routes.js';
import { healthRoutes } from './http/health-routes.js';
import { type ServerLimits, serverLimits } from './limits.js';
import { type Listening, listen } from './listen.js';
import { serverMetrics } from './metrics.js';
import type { CommonOptions } from './server.js';
import { openSpool, type Spool } from './spool.js';
import { visits } from './visits.js';

/** How a front is set up. */
export interface FrontOptions extends CommonOptions {
  /** `host:port` of the processing service. */
  readonly upstream: string;
  /** What the processing service wants as its token. */
  readonly upstreamToken?: string;
  readonly limits?: Partial<ServerLimits>;
  /** Where uploads are spooled; the system's folder for temporary files by default. */
  readonly spoolIn?: string;
}

/** A front that runs. */
export interface RunningFront extends Listening {
  readonly spool: Spool;
}

/** Starts the small HTTP API in front of a processing service: it takes pictures in, and decodes none itself. */
export async function startFront(options: FrontOptions): Promise<RunningFront> {
  const limits = serverLimits(options.limits);
  const spool = openSpool(options.spoolIn ?? tmpdir());
  const inside = visits(limits.totalMs);
  const from = sources({ ...options.addresses, urls: options.urls, roots: [] }, limits, spool);
  const service = upstream(options.upstream, options.upstreamToken);
  const metrics = serverMetrics(undefined);
  const { draining } = inside;
  const http = await httpApp(
    {
      auth: bearerAuth(options.token),
      logs: options.logs,
      metrics,
      totalMs: limits.totalMs,
      retryAfter: () => 1,
      draining,
      ...(options.trustProxy !== undefined && { trustProxy: options.trustProxy }),
    },
    (app) => {
      frontRoutes(app, {
        settings: options.front,
        visits: inside,
        limits,
        spool,
        sources: from,
        async process(...request) {
          const [image] = await service.process(...request);
          if (image === undefined) throw new ImgtoolError('E_UPSTREAM', expected('a result', 'none'));
          return image;
        },
      });
      healthRoutes(app, metrics, async () => (draining() ? 'draining' : undefined));
    },
  );
  const listening = await listen(
    options,
    { http: (socket) => void http.server.emit('connection', socket) },
    {
      goingDown: () => undefined,
      drain: () => inside.drain(),
      letGo: () => http.server.closeIdleConnections(),
      async close() {
        await Promise.all([http.app.close(), from.close()]);
        service.close();
        spool.close();
      },
    },
  );
  return { ...listening, spool };
}
