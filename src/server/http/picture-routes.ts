import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { parseRecipe, type Recipe } from '../../recipe.js';
import type { Sources } from '../fetch/sources.js';
import type { ImageService } from '../service.js';
import { clientHas, etagOf, negotiated, sendImages } from './answer.js';
import { receive } from './body.js';
import { queryOf, withinLimit } from './exchange.js';
import { recipeFromQuery } from './recipe-query.js';

/** What the picture routes need. */
export interface PictureDoors {
  readonly service: ImageService;
  readonly sources: Sources;
}

/** `/v1/process`, `/v1/image` and `/v1/size`. */
export function pictureRoutes(app: FastifyInstance, { service, sources }: PictureDoors): void {
  const { limits, spool } = service;
  const within = <T>(reply: FastifyReply, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withinLimit(reply, service, work);

  app.post('/v1/process', (request, reply) =>
    within(reply, async (signal) => {
      // a query that is not understood is refused before the picture is taken in
      const asked = recipeFromQuery(queryOf(request));
      const { upload, recipe } = await receive(request, spool, limits.bytes, signal);
      try {
        const wanted = negotiated(chosen(asked, recipe, request), request.headers.accept);
        const served = await service.process(upload, wanted, signal);
        return sendImages(request, reply.header('etag', etagOf(upload.identity, wanted)), served);
      } finally {
        upload.release();
      }
    }),
  );

  app.get('/v1/image', (request, reply) =>
    within(reply, async (signal) => {
      const wanted = negotiated(recipeFromQuery(queryOf(request), ['src']), request.headers.accept);
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

  app.post('/v1/size', (request, reply) =>
    within(reply, async (signal) => {
      const { upload } = await receive(request, spool, limits.bytes, signal);
      return sendFacts(reply, upload, signal);
    }),
  );

  app.get('/v1/size', (request, reply) =>
    within(reply, async (signal) => sendFacts(reply, await sources.open(sourceOf(request), signal), signal)),
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

/** The recipe of the multipart field, or that of the query; never a mix of both. */
function chosen(asked: Recipe, field: unknown, request: FastifyRequest): Recipe {
  if (field === undefined) return asked;
  if (queryOf(request).size > 0)
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
