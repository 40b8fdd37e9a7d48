import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import type { JobState } from '../../jobs/job.js';
import { bodyOf } from '../http/body.js';
import { queryOf } from '../http/exchange.js';
import { pathOf } from '../jobs/kinds.js';
import {
  type Answer,
  type ApiDoors,
  type CompatApi,
  deskOf,
  jobOf,
  type Style,
  statusOf,
  styledRoutes,
} from './api.js';
import { THUMBNAIL } from './thumbnail.js';

const API = 'thumbnails';

/** Thumbnails by URL: `/v1/thumbnails` and `/static/ID.ext`. */
export const thumbnails: CompatApi = {
  name: API,
  ttl: 30 * 86_400_000,
  kinds: () => ({}),
  routes(app, doors) {
    styledRoutes(app, doors, style, {
      'POST /v1/thumbnails': (request, signal) => create(request, doors, signal),
      'GET /v1/thumbnails': (request) => show(request, doors),
      'GET /static/:file': (request) => file(request, doors),
    });
  },
};

const style: Style = (error, detail) => ({
  status: statusOf(error),
  json: { status: statusOf(error), message: detail },
});

async function create(request: FastifyRequest, doors: ApiDoors, signal: AbortSignal): Promise<Answer> {
  const url = urlIn(await bodyText(request, signal));
  if (url === undefined) return refusal(NO_URL);
  const reason = reasonAgainst(url, doors);
  if (reason !== undefined) return refusal(reason);
  const { id } = await deskOf(doors).submit({
    kind: 'process',
    recipe: THUMBNAIL,
    source: { kind: 'url', url },
    target: { kind: 'blob' },
    labels: { api: API, url },
    attempts: ATTEMPTS,
    ttl: doors.ttl,
  });
  return { status: 201, json: { id, status: 'queued', url } };
}

/** Who polls for a picture wants to know within seconds that it cannot be had. */
const ATTEMPTS = 3;

function refusal(error: ImgtoolError): Answer {
  return { status: 422, json: `Error: ${error.message}`, error };
}

const NO_URL = new ImgtoolError('E_USAGE', 'No url provided. Please specify a url.', { field: 'url' });

/** What is refused without asking anyone is refused at once; what the network says, the job will tell. */
function reasonAgainst(url: string, { sources }: ApiDoors): ImgtoolError | undefined {
  try {
    sources.checkUrl(url);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ImgtoolError) return thrown;
    throw thrown;
  }
}

async function show(request: FastifyRequest, doors: ApiDoors): Promise<Answer> {
  const job = await jobOf(deskOf(doors), API, queryOf(request).get('id') ?? '');
  if (job === undefined) throw new ImgtoolError('E_NOT_FOUND', 'Thumbnail ID not found');
  const { id, state, error, work } = job;
  const known = { id, status: STATUSES[state], url: work.labels?.url };
  if (state === 'succeeded')
    return { json: { ...known, resized_url: `${doors.linkBase(request)}/static/${fileNameOf(job)}` } };
  const reason = error?.message ?? 'the thumbnail was cancelled';
  return { json: known.status === 'failed' ? { ...known, error_message: reason } : known };
}

const STATUSES = {
  queued: 'queued',
  running: 'queued',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<JobState['state'], string>;

/** The picture itself, of the type that it has: the extension is that of its URL, and may be any. */
async function file(request: FastifyRequest, doors: ApiDoors): Promise<Answer> {
  const { file: asked } = request.params as { file: string };
  const desk = deskOf(doors);
  const job = await jobOf(desk, API, asked.slice(0, UUID_LENGTH));
  const [output] = job?.outputs ?? [];
  if (job === undefined || output === undefined || asked !== fileNameOf(job)) throw noFile();
  const bytes = await readFile(pathOf(output, desk.queue.blobs)).catch(() => undefined);
  // it expired since
  if (bytes === undefined) throw noFile();
  return { bytes, type: output.type };
}

const UUID_LENGTH = 36;

function noFile(): ImgtoolError {
  return new ImgtoolError('E_NOT_FOUND', 'File not found');
}

/** The job's id with the extension that its URL has as it is written there, or else that of the picture. */
function fileNameOf({ id, work, outputs }: JobState): string {
  const { pathname } = new URL(work.labels?.url ?? '', 'http://localhost/');
  const written = extname(pathname);
  return `${id}${/^\.[a-z\d]{1,16}$/i.test(written) ? written : extname(outputs[0]?.name ?? '')}`;
}

/** The `url` of a JSON object; undefined where there is none. Throws E_USAGE for what is no JSON. */
function urlIn(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    const { url } = Object(JSON.parse(text)) as { readonly url?: unknown };
    return typeof url === 'string' && url.trim() !== '' ? url : undefined;
  } catch (cause) {
    throw new ImgtoolError('E_USAGE', expected('JSON such as {"url":"https://..."}', 'something else'), {
      cause,
    });
  }
}

/** A URL in JSON is short; this bounds it, in bytes. */
const MOST_BODY = 64 * 1024;

async function bodyText(request: FastifyRequest, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request, signal)) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MOST_BODY)
      throw new ImgtoolError('E_LIMIT_BYTES', expected('at most 64 KiB of JSON', 'more'));
  }
  return Buffer.concat(chunks).toString('utf8');
}
