import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { isFinished, JOB_STATES, type JobState } from '../../jobs/job.js';
import type { ListQuery } from '../../jobs/queue.js';
import type { JobDesk } from '../jobs/desk.js';
import type { ImageService } from '../service.js';
import { clientHas } from './answer.js';
import { queryOf } from './exchange.js';
import { jobWatch } from './job-events.js';
import { resultFile, sendFile, sourceFile } from './job-files.js';
import { jobText } from './job-json.js';
import { statsJson } from './job-stats.js';
import { RETRY_AFTER } from './job-submit.js';

/** What the routes of jobs need. */
export interface JobDoors {
  readonly desk: JobDesk | undefined;
  readonly service: ImageService;
}

type Handler = (request: FastifyRequest, reply: FastifyReply, desk: JobDesk) => Promise<FastifyReply>;

/** `/v1/jobs`: jobs, their results and their events; how they come about is the business of the picture routes. */
export function jobRoutes(app: FastifyInstance, { desk, service }: JobDoors): void {
  if (desk === undefined) withoutJobs(app);
  else withJobs(app, desk, service);
}

function withJobs(app: FastifyInstance, desk: JobDesk, service: ImageService): void {
  const { queue } = desk;
  const { blobs } = queue;
  const { watch } = jobWatch(desk);
  const on = (method: 'GET' | 'POST' | 'DELETE', url: string, handle: Handler): void =>
    void app.route({
      method: method === 'GET' ? ['GET', 'HEAD'] : method,
      url: `/v1/jobs${url}`,
      handler: (request, reply) => open(desk, () => handle(request, reply, desk)),
    });
  const found = (request: FastifyRequest): Promise<JobState> => desk.find(param(request, 'id'));

  on('GET', '', async (request, reply) => {
    const { jobs, next } = await queue.list(listQuery(queryOf(request)));
    const more = next === undefined ? '' : `,"next":${JSON.stringify(next)}`;
    return sendJson(reply, `{"jobs":[${jobs.map(jobText).join(',')}]${more}}`);
  });
  on('GET', '/stats', async (_request, reply) =>
    sendJson(reply, JSON.stringify(statsJson(await queue.counts(), service.state()))),
  );
  on('GET', '/events', (request, reply) => watch(request, reply));
  on('GET', '/:id/events', (request, reply) => watch(request, reply, param(request, 'id')));
  on('GET', '/:id', async (request, reply) => {
    const job = await found(request);
    const etag = `"${job.changed.toString(36)}"`;
    reply.header('etag', etag).header('cache-control', 'private, no-cache');
    return clientHas(request, etag) ? reply.code(304).send() : sendJson(reply, jobText(job));
  });
  on('DELETE', '/:id', cancel);
  on('POST', '/:id/retry', retry);
  on('GET', '/:id/source', async (request, reply) =>
    sendFile(request, reply, await sourceFile(await found(request), blobs)),
  );
  for (const url of ['/:id/result', '/:id/result/:n'])
    on('GET', url, async (request, reply) => {
      const job = await found(request);
      if (!isFinished(job)) reply.header('retry-after', RETRY_AFTER);
      return sendFile(request, reply, resultFile(job, resultNumber(request), blobs));
    });
}

async function cancel(request: FastifyRequest, reply: FastifyReply, desk: JobDesk): Promise<FastifyReply> {
  const job = await desk.cancel(param(request, 'id'));
  // a running job is told to stop, and is cancelled when it has
  return isFinished(job) ? reply.code(204).send() : sendJson(reply.code(202), jobText(job));
}

async function retry(request: FastifyRequest, reply: FastifyReply, desk: JobDesk): Promise<FastifyReply> {
  const job = await desk.retry(param(request, 'id'));
  return sendJson(reply.code(202).header('retry-after', RETRY_AFTER), jobText(job));
}

function withoutJobs(app: FastifyInstance): void {
  const none = async (): Promise<never> => {
    throw new ImgtoolError('E_NOT_FOUND', expected('a server with --jobs', 'one started with --no-jobs'));
  };
  app.all('/v1/jobs', none);
  app.all('/v1/jobs/*', none);
}

/** A queue that is closed under a question is not at fault. */
async function open(desk: JobDesk, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof ImgtoolError || !desk.draining.aborted) throw thrown;
    throw new ImgtoolError('E_DRAINING', 'the server is going down: ask another one', { cause: thrown });
  }
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  if (reply.getHeader('cache-control') === undefined) reply.header('cache-control', 'no-store');
  return reply.type('application/json').send(text);
}

/** Which jobs a query asks for. Throws E_USAGE for what it does not know. */
function listQuery(query: URLSearchParams): ListQuery {
  for (const field of query.keys())
    if (!['state', 'cursor', 'limit'].includes(field) || query.getAll(field).length > 1)
      throw new ImgtoolError('E_USAGE', expected('state, cursor and limit, each once', field), { field });
  const asked = query.get('state');
  const state = JOB_STATES.find((known) => known === asked);
  if (asked !== null && state === undefined)
    throw new ImgtoolError('E_USAGE', expected(`one of ${JOB_STATES.join(', ')}`, asked), { field: 'state' });
  const cursor = query.get('cursor');
  const limit = query.get('limit');
  return {
    ...(state && { state }),
    ...(cursor !== null && { cursor }),
    ...(limit !== null && { limit: wholeNumber(limit) }),
  };
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ImgtoolError('E_USAGE', expected('a whole number', text), { field: 'limit' });
}

function resultNumber(request: FastifyRequest): number {
  const text = param(request, 'n') || '0';
  // what is no number is the number of no result
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.MAX_SAFE_INTEGER;
}

function param(request: FastifyRequest, name: string): string {
  const value = (request.params as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}
