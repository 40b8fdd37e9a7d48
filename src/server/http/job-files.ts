import { type FileHandle, open } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FORMATS } from '../../codecs/extensions.js';
import { headOf } from '../../codecs/head.js';
import { sniff } from '../../codecs/magic.js';
import { expected, ImgtoolError } from '../../errors.js';
import type { BlobStore } from '../../jobs/blobs.js';
import { isFinished, type JobState } from '../../jobs/job.js';
import { errorOf } from '../jobs/failure.js';
import { pathOf } from '../jobs/kinds.js';
import { outputName } from '../jobs/names.js';
import { clientHas } from './answer.js';
import { disposition } from './disposition.js';

/** A file of a job as it is sent. */
export interface JobFile {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly shown: 'inline' | 'attachment';
  /** Milliseconds since 1970 until which it may be kept; undefined while that is not known. */
  readonly expiresAt: number | undefined;
}

/**
 * The n-th result of a job. Throws the error of a failed job, E_JOB_UNFINISHED, and E_NOT_FOUND for a result that there is
 * none of.
 */
export function resultFile(job: JobState, n: number, blobs: BlobStore): JobFile {
  const { state, error, outputs, expiresAt } = job;
  if (!isFinished(job))
    throw new ImgtoolError('E_JOB_UNFINISHED', expected('a job that is finished', `one that is ${state}`));
  if (error !== undefined) throw errorOf(error);
  const output = outputs[n];
  if (output === undefined) {
    const received = state === 'cancelled' ? 'one that was cancelled' : `one with ${outputs.length}`;
    throw new ImgtoolError('E_NOT_FOUND', expected(`a job with a result ${n}`, received));
  }
  const { type } = output;
  return { path: pathOf(output, blobs), type, name: outputName(job, n), shown: 'inline', expiresAt };
}

/** The upload that a job works on. Throws E_NOT_FOUND for a job of another source. */
export async function sourceFile({ work, expiresAt }: JobState, blobs: BlobStore): Promise<JobFile> {
  const { source, labels } = work;
  if (source.kind !== 'blob')
    throw new ImgtoolError('E_NOT_FOUND', expected('a job over an upload', `one over a ${source.kind}`));
  const path = blobs.path(source.blob);
  const seen = sniff(await headOf({ kind: 'path', path }).catch(gone));
  const format = Object.entries(FORMATS).find(([name]) => name === seen)?.[1];
  return {
    path,
    type: format?.mime ?? 'application/octet-stream',
    name: labels?.name ?? `image${format ? `.${format.extensions[0]}` : ''}`,
    // these are a stranger's bytes: to be seen where a page of ours shows them, never as a page of their own
    shown: 'attachment',
    expiresAt,
  };
}

/** Sends a file from the disk piece by piece, or 304 to a client that has it. Throws E_EXPIRED when it is gone. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { path, type, name, shown, expiresAt }: JobFile,
): Promise<FastifyReply> {
  const file = await open(path, 'r').catch(gone);
  try {
    const { size, mtimeMs, ino } = await file.stat();
    const etag = `"${[ino, size, Math.round(mtimeMs)].map((part) => part.toString(36)).join('-')}"`;
    reply
      .header('etag', etag)
      .header('cache-control', cacheControl(expiresAt))
      .header('content-disposition', disposition(shown, name));
    if (clientHas(request, etag)) return await bare(reply.code(304), file);
    reply.type(type).header('content-length', size);
    if (request.method === 'HEAD') return await bare(reply, file);
    return reply.send(file.createReadStream());
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function bare(reply: FastifyReply, file: FileHandle): Promise<FastifyReply> {
  await file.close();
  return reply.send();
}

/** A result does not change, and is another's business no more than the job is. */
function cacheControl(expiresAt: number | undefined): string {
  if (expiresAt === undefined) return 'private, no-cache';
  const seconds = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
  return `private, max-age=${Math.min(seconds, YEAR)}`;
}

/** The longest time that caches make sense of, in seconds (RFC 9111, section 1.2.2, has 2^31). */
const YEAR = 31_536_000;

/** What is gone from under a job was removed with it just now, or by somebody; its path is nobody's business. */
function gone(cause: unknown): never {
  throw new ImgtoolError('E_EXPIRED', expected('a file that is kept', 'one that is gone'), { cause });
}
