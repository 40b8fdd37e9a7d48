import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, ImgtoolError } from '../../errors.js';
import type { JobId, JobState } from '../../jobs/job.js';
import type { Root } from '../fetch/roots.js';
import type { Sources } from '../fetch/sources.js';
import { errorFrom } from '../http/app.js';
import { withinLimit } from '../http/exchange.js';
import type { LinkBase } from '../http/links.js';
import { detailOf } from '../http/problem.js';
import type { JobDesk } from '../jobs/desk.js';
import type { JobKind } from '../jobs/kinds.js';
import type { ImageService } from '../service.js';

/** What the APIs of other services open to. */
export interface CompatDoors {
  readonly service: ImageService;
  readonly sources: Sources;
  /** Undefined on a server that queues nothing: they refuse then. */
  readonly desk: JobDesk | undefined;
  readonly roots: readonly Root[];
  readonly linkBase: LinkBase;
  /** The folder in which `bucket/` lies. */
  readonly bucketParent: string;
}

/** The same, for one of them. */
export interface ApiDoors extends CompatDoors {
  /** Milliseconds that its jobs, and results of them that are no files of the user's, are kept. */
  readonly ttl: number;
}

/** The API of an existing service, answered as its clients know it. */
export interface CompatApi {
  /** What `--compat` calls it. */
  readonly name: string;
  /** Milliseconds that its jobs are kept when nothing else is said. */
  readonly ttl: number;
  /** The kinds of jobs it brings; they are known also when it is off, for jobs of former days. */
  kinds(doors: Pick<CompatDoors, 'bucketParent'>): Readonly<Record<string, JobKind>>;
  routes(app: FastifyInstance, doors: ApiDoors): void;
}

/** What a route answers: JSON with its keys in the order given, or a file. */
export type Answer =
  | {
      readonly json: unknown;
      /** 200 when left out. */
      readonly status?: number;
      /** What is wrong, for the log. */
      readonly error?: ImgtoolError;
    }
  | { readonly bytes: Uint8Array; readonly type: string };

/** How an API tells of an error, in a form of its own. */
export type Style = (
  error: ImgtoolError,
  detail: string,
) => { readonly status: number; readonly json: unknown };

/** Routes as `METHOD /path`. */
export type Routes = Readonly<
  Record<string, (request: FastifyRequest, signal: AbortSignal) => Answer | Promise<Answer>>
>;

/** Adds routes whose every error, also one of the framework's, is told in the style of their API. */
export function styledRoutes(
  app: FastifyInstance,
  { service }: Pick<CompatDoors, 'service'>,
  style: Style,
  routes: Routes,
): void {
  void app.register(async (scope) => {
    scope.setErrorHandler((thrown, request, reply) => {
      const error = errorFrom(thrown);
      const answer = { ...style(error, detailOf(error)), error };
      if (answer.status === 503 || answer.status === 429) reply.header('retry-after', service.retryAfter());
      if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
      return send(request, reply, answer);
    });
    for (const [route, answer] of Object.entries(routes)) {
      const [method = '', url = ''] = route.split(' ');
      const handler = (request: FastifyRequest, reply: FastifyReply) =>
        withinLimit(reply, service, async (signal) => send(request, reply, await answer(request, signal)));
      scope.route({ method, url, handler });
    }
  });
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  if ('bytes' in answer) {
    return reply.type(answer.type).header('cache-control', 'private, max-age=3600').send(answer.bytes);
  }
  request.failure = answer.error;
  reply.code(answer.status ?? 200).header('cache-control', 'no-store');
  return reply.type('application/json').send(Buffer.from(JSON.stringify(answer.json)));
}

/** The status that the table of errors has for an error. */
export function statusOf({ code }: ImgtoolError): number {
  return ERRORS[code].http;
}

/** The queue of the server; throws E_QUEUE_FULL on one that has none. */
export function deskOf({ desk }: Pick<CompatDoors, 'desk'>): JobDesk {
  if (desk !== undefined) return desk;
  throw new ImgtoolError('E_QUEUE_FULL', 'queued work is off on this server; --jobs turns it on');
}

/** A job of this API; undefined for one that never was, that expired, or that came in by another door. */
export async function jobOf(desk: JobDesk, api: string, id: JobId): Promise<JobState | undefined> {
  try {
    const job = await desk.queue.get(id);
    return job?.work.labels?.api === api ? job : undefined;
  } catch (thrown) {
    if (thrown instanceof ImgtoolError && thrown.code === 'E_EXPIRED') return undefined;
    throw thrown;
  }
}
