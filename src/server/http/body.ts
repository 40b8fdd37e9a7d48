import { addAbortSignal, PassThrough, type Readable } from 'node:stream';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { orAborted } from '../deadline.js';
import { RECIPE_BYTES } from '../limits.js';
import { type Spool, tooManyBytes, type Upload } from '../spool.js';

/** What a request's body brought. */
export interface Received {
  readonly upload: Upload;
  /** The parsed JSON of the multipart field `recipe`, when there is one. */
  readonly recipe: unknown;
  /** What the client calls the file, in a multipart body; it may be anything. */
  readonly name?: string | undefined;
}

/**
 * Spools the picture of a request: its raw body, or the multipart field `image`. Throws E_LIMIT_BYTES, at once for a
 * declared length, E_EMPTY, E_USAGE, and the signal's reason. The connection stays fit for an answer.
 */
export async function receive(
  request: FastifyRequest,
  spool: Spool,
  most: number,
  signal: AbortSignal,
): Promise<Received> {
  if (request.isMultipart()) {
    const receiving = receiveParts(request, spool, most, signal);
    return orAborted(receiving, signal).catch((thrown: unknown) => {
      receiving.then(({ upload }) => upload.release()).catch(() => undefined);
      throw thrown;
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooManyBytes(most);
  return { upload: await spool.write(bodyOf(request, signal), most, signal), recipe: undefined };
}

/** The body as a stream of its own: to destroy the request's would take the connection, and the answer with it. */
export function bodyOf(request: FastifyRequest, signal: AbortSignal): Readable {
  const body = addAbortSignal(signal, new PassThrough());
  const rest = (): void => {
    request.raw.unpipe(body);
    request.raw.resume();
  };
  body.once('close', rest);
  return request.raw.pipe(body);
}

async function receiveParts(
  request: FastifyRequest,
  spool: Spool,
  most: number,
  signal: AbortSignal,
): Promise<Received> {
  let upload: Upload | undefined;
  let recipe: unknown;
  let name: string | undefined;
  try {
    // one byte more than allowed, so that the spool sees the excess and refuses it with the right words
    const limits = {
      fileSize: most + 1,
      files: 1,
      fields: 8,
      fieldSize: RECIPE_BYTES,
      parts: 8,
      headerPairs: 16,
    };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'file' && part.fieldname === 'image') {
        name = part.filename;
        upload = await spool.write(addAbortSignal(signal, part.file), most, signal);
      } else if (part.type === 'field' && part.fieldname === 'recipe') recipe = jsonOf(part);
      else throw unknownField(part);
    }
    if (upload === undefined)
      throw new ImgtoolError('E_USAGE', expected('a file in the field image', 'none'));
    return { upload, recipe, name };
  } catch (thrown) {
    upload?.release();
    throw notAForm(thrown);
  }
}

/** What the parser of forms says of a body that is none; what the framework refuses has a status, and says so itself. */
function notAForm(thrown: unknown): unknown {
  const known = thrown instanceof ImgtoolError || !(thrown instanceof Error) || 'statusCode' in thrown;
  return known
    ? thrown
    : new ImgtoolError('E_USAGE', expected('a multipart form', thrown.message), { cause: thrown });
}

function jsonOf(part: Extract<Multipart, { type: 'field' }>): unknown {
  if (part.valueTruncated || typeof part.value !== 'string')
    throw new ImgtoolError('E_USAGE', expected('at most 64 KiB of JSON', 'more'), { field: 'recipe' });
  try {
    return JSON.parse(part.value);
  } catch (cause) {
    throw new ImgtoolError('E_USAGE', expected('JSON', 'something else'), { field: 'recipe', cause });
  }
}

function unknownField({ type, fieldname }: Multipart): ImgtoolError {
  const wanted = 'the fields image (a file) and recipe (JSON)';
  return new ImgtoolError('E_USAGE', expected(wanted, `the ${type} ${fieldname.slice(0, 64)}`));
}
