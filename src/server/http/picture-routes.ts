import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { parseRecipe, type Recipe, recipeJson } from '../../recipe.js';
import type { Sources } from '../fetch/sources.js';
import type { JobDesk } from '../jobs/desk.js';
import { checkOutputs, type ImageService } from '../service.js';
import { clientHas, etagOf, negotiated, sendImages } from './answer.js';
import { receive } from './body.js';
import { queryOf, withinLimit } from './exchange.js';
import { type Asked, type Later, laterOf, QUEUE_KEYS } from './job-submit.js';
import { recipeFromQuery } from './recipe-query.js';

/** What the picture routes need. */
export interface PictureDoors {
  readonly service: ImageService;
  readonly sources: Sources;
  /** Where work is queued for clients that would rather not wait. */
  readonly desk?: JobDesk | undefined;
  /** What links outside of bodies begin with; nothing when the server's public address is not known. */
  readonly publicUrl?: string | undefined;
}

/** `/v1/process`, `/v1/image` and `/v1/size`, at once or, with `Prefer: respond-async`, as jobs. */
export function pictureRoutes(app: FastifyInstance, doors: PictureDoors): void {
  const { service, sources, desk, publicUrl } = doors;
  const { limits, spool } = service;
  const within = <T>(reply: FastifyReply, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withinLimit(reply, service, work);
  const later = (request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): Later | undefined =>
    laterOf(request, reply, { desk, sources, limits, publicUrl }, signal);

  /** Under overload a refusal must cost little; but who would be queued, or may have the answer already, needs no decoder now. */
  const early = {
    onRequest: async ({ headers }: FastifyRequest): Promise<void> => {
      if (headers.prefer === undefined && headers['if-none-match'] === undefined) service.checkRoom();
    },
  };

  app.post('/v1/process', early, (request, reply) =>
    within(reply, async (signal) => {
      // a query that is not understood is refused before the picture is taken in
      const asked = recipeFromQuery(queryOf(request), QUEUE_KEYS);
      const queue = later(request, reply, signal);
      const { upload, recipe, name } = await receive(request, spool, limits.bytes, signal);
      try {
        const wanted = negotiated(chosen(asked, recipe, request), request.headers.accept);
        if (queue) return await queue.upload(upload, name, processing(wanted));
        const served = await service.process(upload, wanted, signal);
        return sendImages(request, reply.header('etag', etagOf(upload.identity, wanted)), served);
      } finally {
        upload.release();
      }
    }),
  );

  app.get('/v1/image', early, (request, reply) =>
    within(reply, async (signal) => {
      const asked = recipeFromQuery(queryOf(request), ['src', ...QUEUE_KEYS]);
      const wanted = negotiated(asked, request.headers.accept);
      const queue = later(request, reply, signal);
      if (queue) return await queue.source(sourceOf(request), processing(wanted));
      const upload = await sources.open(sourceOf(request), signal);
      try {
        const etag = etagOf(upload.identity, wanted);
        reply.header('etag', etag).header('cache-control', 'public, max-age=300').header('vary', 'Accept');
        if (clientHas(request, etag)) return reply.code(304).send();
        return sendImages(request, reply, await service.process(upload, wanted, signal));
      } finally {
        upload.release();
      }
    }),
  );

  app.post('/v1/size', early, (request, reply) =>
    within(reply, async (signal) => {
      const queue = later(request, reply, signal);
      const { upload, name } = await receive(request, spool, limits.bytes, signal);
      if (queue === undefined) return sendFacts(reply, upload, signal);
      return queue.upload(upload, name, SIZING).finally(() => upload.release());
    }),
  );

  app.get('/v1/size', early, (request, reply) =>
    within(reply, async (signal) => {
      const queue = later(request, reply, signal);
      if (queue) return await queue.source(sourceOf(request), SIZING);
      return sendFacts(reply, await sources.open(sourceOf(request), signal), signal);
    }),
  );

  async function sendFacts(
    reply: FastifyReply,
    upload: Awaited<ReturnType<Sources['open']>>,
    signal: AbortSignal,
  ): Promise<FastifyReply> {
    try {
      const { source: _, ...facts } = await service.size(upload, signal);
      return reply.type('application/json').send(JSON.stringify(facts));
    } finally {
      upload.release();
    }
  }
}

const SIZING: Asked = { kind: 'size', recipe: {} };

function processing(recipe: Recipe): Asked {
  checkOutputs(recipe);
  return { kind: 'process', recipe: recipeJson(recipe) };
}

/** The recipe of the multipart field, or that of the query; never a mix of both. */
function chosen(asked: Recipe, field: unknown, request: FastifyRequest): Recipe {
  if (field === undefined) return asked;
  if ([...queryOf(request).keys()].some((key) => !QUEUE_KEYS.includes(key)))
    throw new ImgtoolError('E_USAGE', expected('the recipe in the query or in its field', 'both'), {
      field: 'recipe',
    });
  return parseRecipe(field);
}

function sourceOf(request: FastifyRequest): string {
  const [source, more] = queryOf(request).getAll('src');
  if (source === undefined || source === '' || more !== undefined)
    throw new ImgtoolError(
      'E_USAGE',
      expected('one src, a URL or a path', `${more === undefined ? 'none' : 'several'}`),
      {
        field: 'src',
      },
    );
  return source;
}
