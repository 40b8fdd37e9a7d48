import type { FastifyInstance, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { parseRecipe, type Recipe } from '../../recipe.js';
import { resultCache } from '../cache.js';
import { coalescer } from '../coalesce.js';
import type { Sources } from '../fetch/sources.js';
import type { ServerLimits } from '../limits.js';
import type { ServedImage } from '../service.js';
import type { Spool, Upload } from '../spool.js';
import type { Visits } from '../visits.js';
import { etagOf, sendImage } from './answer.js';
import { bodyOf, receive } from './body.js';
import { queryOf, withinLimit } from './exchange.js';

/** What `/image` makes of every picture; set when the server starts. */
export interface FrontSettings {
  /** `WxH`; undefined leaves sizes alone. */
  readonly scale: string | undefined;
  readonly fit: 'fill' | 'inside' | 'cover' | 'contain';
  readonly grayscale: boolean;
}

/** What `/image` needs. */
export interface FrontDoors {
  readonly settings: FrontSettings;
  readonly visits: Pick<Visits, 'enter'>;
  readonly limits: ServerLimits;
  readonly spool: Spool;
  readonly sources: Sources;
  /** Runs a recipe of one output: in this process, or at a processing service. */
  process(input: Upload, recipe: Recipe, signal: AbortSignal): Promise<ServedImage>;
}

/** Results kept, in bytes. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** A URL in a body is short; this bounds it, in bytes. */
const MOST_URL = 8192;

/**
 * `/image`: any method with a picture as its body, or the URL of one as a `text/plain` body or in `?url=`, is answered
 * with that picture in its own format, at the size and in the colours that the server was started with.
 */
export function frontRoutes(app: FastifyInstance, doors: FrontDoors): void {
  const recipe = frontRecipe(doors.settings);
  const cache = resultCache<ServedImage>(CACHE_BYTES);
  const runs = coalescer<ServedImage>();
  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/image',
    handler: (request, reply) =>
      withinLimit(reply, doors.visits, async (signal) => {
        const upload = await pictureOf(request, doors, signal);
        try {
          const key = upload.identity;
          const known = cache.get(key);
          const image =
            known ?? (await runs.run(key, signal, (shared) => doors.process(upload, recipe, shared)));
          cache.put(key, image, image.bytes.length);
          return sendImage(reply.header('etag', etagOf(upload.identity, recipe)), image);
        } finally {
          upload.release();
        }
      }),
  });
}

/** The recipe behind `/image`. */
export function frontRecipe({ scale, fit, grayscale }: FrontSettings): Recipe {
  return parseRecipe({
    steps: [
      ...(scale === undefined ? [] : [{ op: 'scale', size: scale, fit }]),
      ...(grayscale ? [{ op: 'grayscale' }] : []),
    ],
  });
}

async function pictureOf(request: FastifyRequest, doors: FrontDoors, signal: AbortSignal): Promise<Upload> {
  const asked = queryOf(request).get('url');
  const isText = /^text\/plain\b/i.test(request.headers['content-type'] ?? '');
  if (asked === null && !isText) {
    const { upload } = await receive(request, doors.spool, doors.limits.bytes, signal);
    return upload;
  }
  const url = asked ?? (await textOf(request, signal));
  if (!/^https?:\/\//i.test(url))
    throw new ImgtoolError('E_USAGE', expected('an http or https URL', url.slice(0, 100)), { field: 'url' });
  return doors.sources.open(url, signal);
}

async function textOf(request: FastifyRequest, signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of bodyOf(request, signal)) {
    text += String(chunk);
    if (text.length > MOST_URL)
      throw new ImgtoolError('E_USAGE', expected(`a URL of at most ${MOST_URL} bytes`, 'more'), {
        field: 'url',
      });
  }
  return text.trim();
}
