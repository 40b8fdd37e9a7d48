import * as z from 'zod';
import { JOB_STATES, PRIORITIES } from '../../jobs/job.js';
import { jobSchema } from './job-json.js';
import { statsSchema } from './job-stats.js';

type Json = Readonly<Record<string, unknown>>;

/** The schemas of jobs, derived from what their answers are made by. */
export function jobSchemas(): Json {
  const [Job, Stats] = [jobSchema, statsSchema].map((schema) => {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return json;
  });
  return { Job, Stats };
}

/** An operation that may also be queued: what clients say for that, and what they are answered. */
export function queueable({ parameters, responses, ...operation }: Json): Json {
  const { 200: ok, ...others } = responses as { 200: { content: Json; headers?: Json } };
  const headers = { ...ok.headers, ...JOB_HEADERS };
  return {
    ...operation,
    parameters: [...((parameters ?? []) as Json[]), PREFER, ...QUEUE],
    responses: {
      200: { ...ok, content: { ...ok.content, ...JOB }, headers },
      202: { description: 'queued, or still at work after the wait', content: JOB, headers: JOB_HEADERS },
      ...others,
    },
  };
}

/** The paths of jobs. */
export function jobPaths(): Json {
  const etag = { ETag: { schema: { type: 'string' } } };
  const bytes = { description: 'the bytes', content: { '*/*': {} }, headers: etag };
  const has = { 304: { description: 'the client has it already' } };
  const job = { description: 'the job', content: JOB };
  const events = (whose: string): Json => ({
    summary: `Watch ${whose}: events progress, done and error, each with the job as its data`,
    description: 'A line beginning with a colon comes every 15 s. Ids only grow, over restarts too.',
    responses: answers({
      200: { description: 'server-sent events', content: { 'text/event-stream': {} } },
      204: { description: 'the job has ended, and the client has seen its end' },
    }),
  });
  return {
    '/v1/jobs': {
      get: {
        operationId: 'jobs',
        summary: 'List jobs, the newest first',
        parameters: LIST,
        responses: answers({ 200: { description: 'some jobs', content: content(PAGE) } }),
      },
    },
    '/v1/jobs/stats': {
      get: {
        operationId: 'jobStats',
        summary: 'Tell how the queue stands',
        responses: answers({ 200: { description: 'figures', content: content(ref('Stats')) } }),
      },
    },
    '/v1/jobs/events': {
      get: { operationId: 'allJobEvents', ...events('all jobs'), parameters: [LAST_EVENT] },
    },
    '/v1/jobs/{id}': {
      parameters: [ID],
      get: {
        operationId: 'job',
        summary: 'Tell how a job stands; one that failed says why',
        responses: answers({ 200: { ...job, headers: etag }, ...has }),
      },
      delete: {
        operationId: 'cancelJob',
        summary: 'Cancel a job',
        responses: answers({
          202: { ...job, description: 'it runs, and is told to stop' },
          204: { description: 'it waited, and is cancelled' },
        }),
      },
    },
    '/v1/jobs/{id}/retry': {
      parameters: [ID],
      post: {
        operationId: 'retryJob',
        summary: 'Queue a failed or cancelled job anew',
        responses: answers({ 202: { ...job, description: 'it is queued' } }),
      },
    },
    '/v1/jobs/{id}/events': {
      parameters: [ID, LAST_EVENT],
      get: { operationId: 'jobEvents', ...events('a job until its end') },
    },
    '/v1/jobs/{id}/source': {
      parameters: [ID],
      get: {
        operationId: 'jobSource',
        summary: 'Get the upload that a job works on',
        responses: answers({ 200: bytes, ...has }),
      },
    },
    '/v1/jobs/{id}/result': {
      parameters: [ID],
      get: {
        operationId: 'jobResult',
        summary: 'Get the first result of a job; of a failed one, why it failed',
        responses: answers({ 200: bytes, ...has }),
      },
    },
    '/v1/jobs/{id}/result/{n}': {
      parameters: [ID, { name: 'n', in: 'path', required: true, schema: { type: 'integer', minimum: 0 } }],
      get: {
        operationId: 'jobResultN',
        summary: 'Get one of several results',
        responses: answers({ 200: bytes, ...has }),
      },
    },
  };
}

function answers(known: Json): Json {
  return { ...known, default: { $ref: '#/components/responses/Problem' } };
}

function content(schema: Json): Json {
  return { 'application/json': { schema } };
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function query(name: string, description: string, schema: Json): Json {
  return { name, in: 'query', description, schema };
}

const JOB = content(ref('Job'));

const JOB_HEADERS = {
  Location: { schema: { type: 'string' }, description: 'of a queued request: where its job is' },
  'Preference-Applied': { schema: { type: 'string' } },
  'Retry-After': { schema: { type: 'integer' }, description: 'seconds until it makes sense to look' },
};

const PREFER = {
  name: 'Prefer',
  in: 'header',
  description:
    'respond-async queues the work and answers with its job (RFC 7240); wait=10 beside it waits so many seconds for the end',
  schema: { type: 'string' },
};

const QUEUE = [
  query('priority', 'of queued work', { enum: PRIORITIES, default: 'normal' }),
  query('name', 'of queued work: what the client calls the file', { type: 'string' }),
];

const PAGE = {
  type: 'object',
  required: ['jobs'],
  properties: {
    jobs: { type: 'array', items: ref('Job') },
    next: { type: 'string', description: 'the cursor of the next page; absent on the last' },
  },
};

const LIST = [
  query('state', 'only jobs in this state', { enum: JOB_STATES }),
  query('cursor', 'the next of the page before', { type: 'string' }),
  query('limit', 'jobs of a page', { type: 'integer', minimum: 1, maximum: 1000, default: 50 }),
];

const ID = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };

const LAST_EVENT = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'the last event that the client has, to go on after it',
  schema: { type: 'string' },
};
