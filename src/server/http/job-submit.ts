import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalOf } from '../../codecs/failure.js';
import { headOf } from '../../codecs/head.js';
import { expected, ImgtoolError } from '../../errors.js';
import { isFinished, type Job, type JobState, PRIORITIES, type Priority } from '../../jobs/job.js';
import { whenFinished } from '../../jobs/wait.js';
import type { RecipeInput } from '../../recipe.js';
import type { Sources } from '../fetch/sources.js';
import type { JobDesk } from '../jobs/desk.js';
import { safeName } from '../jobs/names.js';
import { referenceTo } from '../jobs/reference.js';
import type { ServerLimits } from '../limits.js';
import type { Upload } from '../spool.js';
import { queryOf } from './exchange.js';
import { jobPath, jobText } from './job-json.js';
import { preferences } from './prefer.js';

/** Keys of a query that say how work is queued; they may stand beside those of a recipe, and do nothing without a queue. */
export const QUEUE_KEYS: readonly string[] = ['priority', 'name'];

/** What queued requests need. */
export interface SubmitDoors {
  readonly desk: JobDesk | undefined;
  readonly sources: Sources;
  readonly limits: Pick<ServerLimits, 'totalMs'>;
  /** What links outside of bodies begin with; nothing when the server's public address is not known. */
  readonly publicUrl?: string | undefined;
}

/** What a request wants done. */
export interface Asked {
  readonly kind: 'process' | 'size';
  readonly recipe: RecipeInput;
}

/** A request whose client would rather not wait: it is queued, and answered with its job. */
export interface Later {
  /** Queues work over an upload, which stays the caller's. Throws E_UNSUPPORTED for what is certainly no picture. */
  upload(upload: Upload, name: string | undefined, asked: Asked): Promise<FastifyReply>;
  /** Queues work over what a client named. Throws E_PERMISSION when such sources are off. */
  source(source: string, asked: Asked): Promise<FastifyReply>;
}

/** How a request with `Prefer: respond-async` is answered; undefined for others, and without a queue. Throws E_USAGE. */
export function laterOf(
  request: FastifyRequest,
  reply: FastifyReply,
  doors: SubmitDoors,
  signal: AbortSignal,
): Later | undefined {
  const { priority, name } = queueOptions(queryOf(request));
  const { respondAsync, wait } = preferences(request.headers.prefer);
  const { desk, sources } = doors;
  if (!respondAsync || desk === undefined) return undefined;
  const seconds = Math.min(wait, Math.floor(doors.limits.totalMs / 1000));
  const jobOf = (asked: Asked, file: string | undefined): Omit<Job, 'source'> => {
    const shown = safeName(name ?? file ?? '');
    const labels = { request: request.id, ...(shown !== undefined && { name: shown }) };
    return { ...asked, target: { kind: 'blob' }, labels, ...(priority && { priority }) };
  };
  const answered = async (job: JobState): Promise<FastifyReply> => {
    const now = seconds === 0 ? job : await endedWithin(desk, job, seconds * 1000, signal);
    return sendAccepted(reply, now, { seconds, publicUrl: doors.publicUrl });
  };
  return {
    async upload(upload, file, asked) {
      const refusal = refusalOf(await headOf({ kind: 'path', path: upload.path }));
      if (refusal !== undefined) throw refusal;
      return answered(await desk.submitUpload(upload, jobOf(asked, file)));
    },
    async source(source, asked) {
      sources.checkKind(source);
      return answered(await desk.submit({ ...jobOf(asked, undefined), source: referenceTo(source) }));
    },
  };
}

/** What a query says of the queue. Throws E_USAGE for a priority there is none of, and keys that are doubled. */
function queueOptions(query: URLSearchParams): { priority: Priority | undefined; name: string | undefined } {
  for (const field of QUEUE_KEYS)
    if (query.getAll(field).length > 1)
      throw new ImgtoolError('E_USAGE', expected(`${field} once`, 'it twice'), { field });
  const asked = query.get('priority') ?? undefined;
  const priority = PRIORITIES.find((known) => known === asked);
  if (asked !== undefined && priority === undefined)
    throw new ImgtoolError('E_USAGE', expected(`one of ${PRIORITIES.join(', ')}`, asked), {
      field: 'priority',
    });
  return { priority, name: query.get('name') ?? undefined };
}

/**
 * A job once it has ended, or as it is when the time is up. A server that goes down has its clients wait no longer, and
 * one that has gone waits for nothing: the job goes on either way.
 */
async function endedWithin(
  desk: JobDesk,
  { id }: JobState,
  ms: number,
  signal: AbortSignal,
): Promise<JobState> {
  const stop = new AbortController();
  const up = (): void => stop.abort();
  const timer = setTimeout(up, ms);
  // a listener of its own that is taken off again: the desk's signal lives as long as the server
  const signals = [signal, desk.draining];
  for (const each of signals) each.addEventListener('abort', up);
  try {
    if (signals.some(({ aborted }) => aborted)) up();
    return await whenFinished(desk.queue, id, stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    return await desk.find(id);
  } finally {
    clearTimeout(timer);
    for (const each of signals) each.removeEventListener('abort', up);
  }
}

/** How clients that were told to come back should space their questions, in seconds. */
export const RETRY_AFTER = 1;

function sendAccepted(
  reply: FastifyReply,
  job: JobState,
  { seconds, publicUrl = '' }: { readonly seconds: number; readonly publicUrl?: string | undefined },
): FastifyReply {
  const done = seconds > 0 && isFinished(job);
  if (!done) reply.header('retry-after', RETRY_AFTER);
  return reply
    .code(done ? 200 : 202)
    .header('location', `${publicUrl}${jobPath(job.id)}`)
    .header('preference-applied', seconds > 0 ? `respond-async, wait=${seconds}` : 'respond-async')
    .header('cache-control', 'no-store')
    .type('application/json')
    .send(jobText(job));
}
