import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import type { JobState, Json } from '../../jobs/job.js';
import { orAborted } from '../deadline.js';
import { type JobKind, ownFile } from '../jobs/kinds.js';
import type { ImageService } from '../service.js';
import type { SpooledInput, Upload } from '../spool.js';
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
import { type Bucket, bucketIn, thumbnailPath, uploadedPath } from './bucket.js';
import { THUMBNAIL, thumbnailFile } from './thumbnail.js';

const API = 'upload-poll';

/** Upload and poll: `/create` and `/status/ID`. */
export const uploadPoll: CompatApi = {
  name: API,
  ttl: Number.POSITIVE_INFINITY,
  kinds: ({ bucketParent }) => ({ bucket: bucketKind(bucketParent) }),
  routes(app, doors) {
    const bucket = bucketIn(doors.bucketParent);
    styledRoutes(app, doors, style, {
      'POST /create': (request, signal) => create(request, doors, bucket, signal),
      'GET /status/': () => {
        throw new ImgtoolError('E_NOT_FOUND', expected('the id of a task', 'none'));
      },
      'GET /status/:id': (request) => status(request, doors),
    });
  },
};

/** What its clients can mend is a 500 here as well; only what the service never had keeps its own status. */
const style: Style = (error, detail) => ({
  status: OWN_STATUS.has(statusOf(error)) ? statusOf(error) : 500,
  json: { status: 'FAILURE', message: detail, data: null },
});

const OWN_STATUS = new Set([401, 403, 404, 429, 503]);

async function create(
  request: FastifyRequest,
  doors: ApiDoors,
  bucket: Bucket,
  signal: AbortSignal,
): Promise<Answer> {
  const desk = deskOf(doors);
  const { upload, name: asked } = await received(request, doors.service, signal);
  try {
    const name = await bucket.store(upload, asked);
    const job = {
      kind: 'bucket',
      recipe: THUMBNAIL,
      source: { kind: 'path', path: uploadedPath(name) },
      target: { kind: 'path', path: thumbnailPath(name) },
      labels: { api: API, name },
      ttl: doors.ttl,
    } as const;
    const { id } = await desk.submit(job).catch(async (thrown: unknown) => {
      await bucket.discard(name);
      throw thrown;
    });
    return { json: { status: 'success', data: { task_id: id } } };
  } finally {
    upload.release();
  }
}

async function status(request: FastifyRequest, doors: ApiDoors): Promise<Answer> {
  const { id } = request.params as { id: string };
  const job = await jobOf(deskOf(doors), API, id);
  // an unknown task may be one that is still on its way in, as far as its clients know
  if (job === undefined) return { json: { status: 'PENDING', result: null } };
  return { json: { status: STATUSES[job.state], result: resultOf(job) } };
}

const STATUSES = {
  queued: 'PENDING',
  running: 'STARTED',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  cancelled: 'FAILURE',
} as const satisfies Record<JobState['state'], string>;

function resultOf(job: JobState): Json {
  if (job.state === 'succeeded') return sizes(job);
  if (job.state === 'failed') return job.error?.message ?? null;
  return job.state === 'cancelled' ? 'the task was cancelled' : null;
}

function sizes({ work, outputs, value }: JobState): Json {
  const name = work.labels?.name ?? '';
  const size = outputs.map(({ width, height }) => [width, height])[0] ?? null;
  return {
    Original: { file_path: uploadedPath(name), Size: value ?? null },
    Thumbnail: { file_path: thumbnailPath(name), Size: size },
  };
}

/** Makes the thumbnail of an upload in the bucket; the sides of the upload as shown are the job's value. */
function bucketKind(parent: string): JobKind {
  return async ({ work: { source, target } }, tools) => {
    if (source.kind !== 'path' || target.kind !== 'path')
      throw new ImgtoolError('E_INTERNAL', expected('paths in the bucket', `${source.kind}, ${target.kind}`));
    const input = await uploaded(join(parent, source.path));
    const { width, height } = await tools.service.size(input, tools.signal, { patient: true });
    tools.progress(0.2);
    const output = await thumbnailFile(join(parent, target.path), input, tools);
    return { outputs: [output], value: [width, height] };
  };
}

function uploaded(path: string): Promise<SpooledInput> {
  return ownFile(path).catch((thrown: unknown) => {
    const { code } = toImgtoolError(thrown, 'E_READ');
    throw new ImgtoolError(code, expected('the upload where it was stored', code), { stage: 'read' });
  });
}

interface Received {
  readonly upload: Upload;
  /** As the client calls it. */
  readonly name: string;
}

/** Spools the file of the field `image_data`; what else a form brings is passed over. */
function received(request: FastifyRequest, service: ImageService, signal: AbortSignal): Promise<Received> {
  if (!request.isMultipart()) throw missing('a body of another type');
  const receiving = fromParts(request, service, signal);
  return orAborted(receiving, signal).catch((thrown: unknown) => {
    receiving.then(({ upload }) => upload.release()).catch(() => undefined);
    throw thrown;
  });
}

async function fromParts(
  request: FastifyRequest,
  { limits: { bytes }, spool }: ImageService,
  signal: AbortSignal,
): Promise<Received> {
  let found: Received | undefined;
  try {
    // one byte more than allowed, so that the spool sees the excess and refuses it with the right words
    const limits = { fileSize: bytes + 1, files: 8, fields: 64, fieldSize: 64 * 1024, headerPairs: 16 };
    for await (const part of request.parts({ limits })) {
      if (part.type !== 'file') continue;
      if (part.fieldname !== 'image_data' || found !== undefined) part.file.resume();
      else
        found = {
          upload: await spool.write(addAbortSignal(signal, part.file), bytes, signal),
          name: part.filename ?? '',
        };
    }
    if (found === undefined) throw missing('none');
    return found;
  } catch (thrown) {
    found?.upload.release();
    throw thrown;
  }
}

function missing(what: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected('a file in the multipart field image_data', what));
}
