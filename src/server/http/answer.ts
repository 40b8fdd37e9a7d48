import { createHash, randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FORMATS } from '../../codecs/extensions.js';
import { type Recipe, recipeJson } from '../../recipe.js';
import { engineVersions } from '../../versions.js';
import type { Served, ServedImage } from '../service.js';
import { zipped } from './zip.js';

/** An entity tag for what a recipe makes of an input; equal tags mean equal bytes, so no picture is decoded to tell. */
export function etagOf(identity: string, recipe: Recipe): string {
  const parts = JSON.stringify([identity, recipeJson(recipe), engineVersions()]);
  return `"${createHash('sha256').update(parts).digest('base64url').slice(0, 27)}"`;
}

/** Whether the client has this already (RFC 9110, If-None-Match: weak comparison). */
export function clientHas(request: FastifyRequest, etag: string): boolean {
  const tags = request.headers['if-none-match'];
  if (tags === undefined) return false;
  return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/**
 * The recipe with `format=auto` settled by what the client accepts: AVIF or WebP where it names them, by its own
 * preference, else the input's own format.
 */
export function negotiated(recipe: Recipe, accept: string | undefined): Recipe {
  const [first, ...rest] = recipe.outputs.map((output) =>
    output.format === 'auto' ? { ...output, format: preferred(accept ?? '') } : output,
  );
  return first === undefined ? recipe : { ...recipe, outputs: [first, ...rest] };
}

/** Sends one result as its bytes; several as multipart/mixed, or as a zip archive when the client names that. */
export function sendImages(request: FastifyRequest, reply: FastifyReply, { images }: Served): FastifyReply {
  const [first, ...rest] = images;
  reply.header('vary', 'Accept');
  if (rest.length === 0) return sendImage(reply, first);
  const archive = (request.headers.accept ?? '').includes('application/zip');
  if (archive) return reply.type('application/zip').send(zipped(images.map(named)));
  const boundary = `imgtool-${randomUUID()}`;
  return reply.type(`multipart/mixed; boundary="${boundary}"`).send(mixed(images.map(named), boundary));
}

/** Sends one picture with its type and sides. */
export function sendImage(reply: FastifyReply, image: ServedImage): FastifyReply {
  return reply
    .type(FORMATS[image.format].mime)
    .header('content-disposition', `inline; filename="image.${image.extension}"`)
    .header('x-imgtool-width', image.width)
    .header('x-imgtool-height', image.height)
    .send(image.bytes);
}

interface Named {
  readonly name: string;
  readonly image: ServedImage;
}

function named(image: ServedImage, index: number): Named {
  return { name: `image-${index}.${image.extension}`, image };
}

function mixed(images: readonly Named[], boundary: string): Buffer {
  const parts = images.flatMap(({ name, image }) => {
    const head = [
      `--${boundary}`,
      `Content-Type: ${FORMATS[image.format].mime}`,
      `Content-Disposition: attachment; filename="${name}"`,
      `Content-Length: ${image.bytes.length}`,
      `X-Imgtool-Width: ${image.width}`,
      `X-Imgtool-Height: ${image.height}`,
    ];
    return [Buffer.from(`${head.join('\r\n')}\r\n\r\n`), image.bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

function preferred(accept: string): 'avif' | 'webp' | 'keep' {
  const asked = accept.split(',').flatMap((range) => {
    const [type = '', ...params] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = Number(params.find((param) => param.startsWith('q='))?.slice(2) ?? 1);
    if (type !== 'image/avif' && type !== 'image/webp') return [];
    return q > 0 ? [{ format: type === 'image/avif' ? ('avif' as const) : ('webp' as const), q }] : [];
  });
  asked.sort((a, b) => b.q - a.q || a.format.localeCompare(b.format));
  return asked[0]?.format ?? 'keep';
}
