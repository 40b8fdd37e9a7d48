import { join, parse } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { type ErrorCode, expected, ImgtoolError } from '../../errors.js';
import { isFinished, type JobError, type JobState } from '../../jobs/job.js';
import { type Place, placeInRoots, type Root } from '../fetch/roots.js';
import { queryOf } from '../http/exchange.js';
import { type JobKind, withSource } from '../jobs/kinds.js';
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
import { picturesIn } from './pictures-in.js';
import { THUMBNAIL, thumbnailFile } from './thumbnail.js';

const API = 'imageapi';

/** Queued sizes and thumbnails of files: `/imageapi` and `/result`. Its wording, misspelt or not, is what clients know. */
export const imageapi: CompatApi = {
  name: API,
  ttl: 500_000,
  kinds: () => ({ [API]: resized }),
  routes(app, doors) {
    styledRoutes(app, doors, style, {
      'GET /imageapi': (request) => measure(request, doors),
      'POST /imageapi': (request, signal) => {
        // all is in the query; what a client sends beside it is read and forgotten
        request.raw.resume();
        return resize(request, doors, signal);
      },
      'GET /result': (request) => result(request, doors),
    });
  },
};

const style: Style = (error, detail) => ({ status: statusOf(error), json: { Result: detail } });

async function measure(request: FastifyRequest, doors: ApiDoors): Promise<Answer> {
  const asked = parameter(request, 'imagePath');
  const { name } = await placeOf(asked, doors);
  const { id } = await deskOf(doors).submit({
    kind: 'size',
    recipe: {},
    source: { kind: 'path', path: name },
    target: { kind: 'blob' },
    labels: { api: API, name: parse(name).base },
    ttl: doors.ttl,
  });
  return { json: { Result: `Task: Get the size of image [${asked}] has been put into queue`, jobId: id } };
}

async function resize(request: FastifyRequest, doors: ApiDoors, signal: AbortSignal): Promise<Answer> {
  const asked = parameter(request, 'imagePath');
  const place = await placeOf(asked, doors);
  if (place.is === 'missing') return notResized('Image file does not exist', 'E_NOT_FOUND');
  if (place.is === 'other') return notResized('The given image path is not a file.', 'E_NOT_A_FILE');
  // a link that leads out of the root is no place to write to
  await placeInRoots(`${place.root.name}/${FOLDER}`, [place.root]);
  if (place.is === 'folder') return resizeAll(place, doors, signal);
  const id = await submitted(place, 'normal', doors);
  return { json: { Result: `Task: Resize image [${asked}] has been put into queue`, jobId: id } };
}

/** Beside the pictures of a root, whatever folder of it they lie in. */
const FOLDER = 'resized';

/** Jobs handed in together: they share their trips to the disk. */
const AT_ONCE = 100;

async function resizeAll(
  folder: Place & { readonly path: string },
  doors: ApiDoors,
  signal: AbortSignal,
): Promise<Answer> {
  let count = 0;
  try {
    for await (const names of picturesIn(folder.path, AT_ONCE)) {
      signal.throwIfAborted();
      const jobs = names.map((name) =>
        submitted({ root: folder.root, name: `${folder.name}/${name}` }, 'batch', doors),
      );
      const ends = await Promise.allSettled(jobs);
      count += ends.filter(({ status }) => status === 'fulfilled').length;
      const refused = ends.find(({ status }) => status === 'rejected');
      if (refused?.status === 'rejected') throw refused.reason;
    }
  } catch (thrown) {
    throw count === 0 ? thrown : cutShort(count, thrown);
  }
  const results = `${folder.root.name}/${FOLDER}/`;
  return {
    json: {
      Result: `[${count}] image resizing tasks have been put into queue. Please directly go to [${results}] to check the results.`,
    },
  };
}

/** What was accepted is done; the rest is to be asked for again. */
function cutShort(count: number, thrown: unknown): unknown {
  if (!(thrown instanceof ImgtoolError)) return thrown;
  const accepted = `[${count}] image resizing tasks have been put into queue, the others have not: `;
  return new ImgtoolError(thrown.code, `${accepted}${thrown.message}`, { cause: thrown });
}

async function submitted(
  { root, name }: { readonly root: Root; readonly name: string },
  priority: 'normal' | 'batch',
  doors: ApiDoors,
): Promise<string> {
  const { name: stem, ext, base } = parse(name);
  const way = `${FOLDER}/${stem}_resized${ext}`;
  const { id } = await deskOf(doors).submit({
    kind: API,
    recipe: THUMBNAIL,
    source: { kind: 'path', path: name },
    target: { kind: 'path', path: join(root.path, way) },
    labels: { api: API, name: base, result: `${root.name}/${way}` },
    priority,
    ttl: doors.ttl,
  });
  return id;
}

/** Makes the thumbnail of a file in a root; it stays when the job is forgotten. */
const resized: JobKind = ({ work: { source, target } }, tools) =>
  withSource(source, tools, async (input) => {
    if (target.kind !== 'path')
      throw new ImgtoolError('E_INTERNAL', expected('a path for the result', target.kind));
    return { outputs: [await thumbnailFile(target.path, input, tools)] };
  });

async function result(request: FastifyRequest, doors: ApiDoors): Promise<Answer> {
  const id = parameter(request, 'jobId');
  const job = await jobOf(deskOf(doors), API, id);
  if (job === undefined) throw unknown(expected('the id of a job', id));
  if (!isFinished(job))
    throw new ImgtoolError(
      'E_NOT_FOUND',
      `Target job with jobId=${id} cannot find. Please check its status and try again later.`,
    );
  if (job.state === 'cancelled') throw unknown('the job was cancelled');
  return { json: job.work.kind === 'size' ? sizeOf(job) : resizeOf(job) };
}

function unknown(reason: string): ImgtoolError {
  const message = `An error occured when trying to fetch the job. Error Message: ${reason}`;
  return new ImgtoolError('E_NOT_FOUND', message);
}

function sizeOf({ value, error }: JobState) {
  if (error !== undefined)
    return { Height: -1, Result: reasonOf(error, 'Image file does not exist.'), Width: -1 };
  const { width, height } = Object(value) as { readonly width?: number; readonly height?: number };
  return { Height: height, Result: 'Get the size of target image successfully.', Width: width };
}

function resizeOf({ work, error }: JobState) {
  if (error !== undefined) return { Resize: false, Message: reasonOf(error, 'Image file does not exist') };
  return { Message: work.labels?.result, Resize: true };
}

/** The service's own words where it has some; the others fail for reasons that it did not know. */
function reasonOf({ code, message, stage }: JobError, missing: string): string {
  if (code === 'E_NOT_FOUND') return missing;
  if (code === 'E_NOT_A_FILE') return 'The given image path is not a file.';
  if (NO_PICTURE.has(code)) return 'The given image path is not a valid image format';
  // what the system says of a write names folders that are no business of the caller's
  return stage === 'write' ? 'The result cannot be written.' : message;
}

const NO_PICTURE: ReadonlySet<ErrorCode> = new Set(['E_UNSUPPORTED', 'E_DECODE', 'E_EMPTY']);

function notResized(message: string, code: 'E_NOT_FOUND' | 'E_NOT_A_FILE'): Answer {
  return {
    status: 400,
    json: { Resize: false, Message: message },
    error: new ImgtoolError(code, message),
  };
}

function parameter(request: FastifyRequest, name: 'imagePath' | 'jobId'): string {
  const value = queryOf(request).get(name) ?? '';
  if (value !== '') return value;
  const message = `Does not specify ${name} parameter. Image request is invalid.`;
  throw new ImgtoolError('E_USAGE', message, { field: name });
}

function placeOf(asked: string, { roots }: ApiDoors): Promise<Place> {
  if (roots.length > 0) return placeInRoots(asked, roots);
  throw new ImgtoolError('E_PERMISSION', 'paths are off on this server; --root turns them on');
}
