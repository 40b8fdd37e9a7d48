import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ERRORS, ImgtoolError, toImgtoolError } from '../../errors.js';
import type { Auth } from '../auth.js';
import type { Logs } from '../logs.js';
import type { Metrics } from '../metrics.js';
import { isOwnFault } from '../own-fault.js';
import { outbox } from './outbox.js';
import { problemOf } from './problem.js';
import { trustedProxies } from './proxies.js';

/** What every HTTP server of ours has, whatever it serves. */
export interface AppOptions {
  readonly auth: Auth;
  readonly logs: Logs;
  readonly metrics: Metrics;
  /** Time for a whole request to arrive, in milliseconds. */
  readonly totalMs: number;
  /** Proxies whose word on their clients is believed, as {@link trustedProxies} reads them; none by default. */
  readonly trustProxy?: string;
  /** Seconds after which a refused caller may try again. */
  retryAfter(): number;
  /** Whether the server is going down, so that clients should let go of their connections. */
  draining(): boolean;
}

/** An HTTP application and the server that takes its connections; nothing listens yet. */
export interface App {
  readonly app: FastifyInstance;
  readonly server: Server;
}

/** Paths that need no token: what they tell is no secret, and probes carry none. */
const OPEN = new Set(['/livez', '/readyz', '/openapi.json', '/docs', '/', '/page/:file']);

/** Makes an application with errors as problems, request ids, logs and metrics; `routes` adds what it answers. */
export async function httpApp(options: AppOptions, routes: (app: FastifyInstance) => void): Promise<App> {
  const server = createServer({
    requestTimeout: options.totalMs,
    headersTimeout: Math.min(options.totalMs, 10_000),
  });
  const app = fastify({
    serverFactory: (handler) => server.on('request', handler),
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 4096 },
    exposeHeadRoutes: false,
    trustProxy: options.trustProxy === undefined ? false : trustedProxies(options.trustProxy),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  await app.register(multipart);
  app.setErrorHandler((thrown, request, reply) => sendProblem(request, reply, errorFrom(thrown), options));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new ImgtoolError('E_NOT_FOUND', `nothing answers ${request.method} here`),
      options,
    ),
  );
  addHooks(app, options);
  routes(app);
  await app.ready();
  // the server never listens itself, but only then does it watch over requests that never end
  server.emit('listening');
  return { app, server };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The error that was answered. */
    failure: ImgtoolError | undefined;
  }
}

function addHooks(app: FastifyInstance, { auth, logs, metrics, draining, totalMs }: AppOptions): void {
  const watched = outbox({ ms: totalMs, bytes: MOST_UNSENT });
  app.decorateRequest('failure', undefined);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).headers(INERT);
    if (!OPEN.has(request.routeOptions.url ?? '')) auth(request.headers.authorization);
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    if (draining()) reply.header('connection', 'close');
    // streams hold little of what they send, and some have no end
    if (typeof payload === 'string' || payload instanceof Uint8Array) watched(reply.raw, payload.length);
  });
  app.addHook('onResponse', async (request, reply) => {
    // a body that was refused half-way is read no further than this; one that comes whole by then is no reason to cut
    // its connection, which another request may be on
    const { raw } = request;
    if (!raw.complete) setTimeout(() => raw.complete || raw.socket.destroy(), LINGER_MS).unref();
    const route = request.routeOptions.url ?? 'none';
    const { elapsedTime: ms, statusCode: status } = reply;
    const bytesOut = Number(reply.getHeader('content-length') ?? 0);
    const bytesIn = Number(request.headers['content-length'] ?? 0);
    const code = request.failure?.code ?? 'OK';
    metrics.count({ door: 'http', route, code, seconds: ms / 1000, bytesIn, bytesOut });
    const { id, method, failure, ip } = request;
    logs.access.info({ id, ip, method, route, status, code, ms: Math.round(ms), bytesIn, bytesOut }, 'http');
    if (failure !== undefined && isOwnFault(failure))
      logs.errors.error({ id, err: failure.cause ?? failure }, failure.message);
  });
}

/** Whatever a browser takes an answer for, it runs nothing; a page that wants more says so itself. */
const INERT = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
};

/** Most bytes of answers that their clients have not taken yet. */
const MOST_UNSENT = 256 * 1024 * 1024;

/** A client that is still sending when it is refused has this long to read why, in milliseconds. */
const LINGER_MS = 2000;

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: ImgtoolError,
  { retryAfter }: AppOptions,
): FastifyReply {
  request.failure = error;
  const { http: status } = ERRORS[error.code];
  if (status === 503 || status === 429) reply.header('retry-after', retryAfter());
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(status)
    .removeHeader('etag')
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(error, request.id)));
}

/** What the framework itself refuses (a bad multipart body, a malformed URL) is the client's to mend. */
export function errorFrom(thrown: unknown): ImgtoolError {
  if (thrown instanceof ImgtoolError) return thrown;
  const { statusCode } = thrown as { statusCode?: unknown };
  const usage = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  if (statusCode === 413)
    return new ImgtoolError('E_LIMIT_BYTES', (thrown as Error).message, { cause: thrown });
  return usage
    ? new ImgtoolError('E_USAGE', (thrown as Error).message, { cause: thrown })
    : toImgtoolError(thrown, 'E_INTERNAL');
}
