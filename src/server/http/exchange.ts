import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Visits } from '../visits.js';

/** Runs a request's work under its time limit, which ends early when the client goes away. Throws E_DRAINING. */
export async function withinLimit<T>(
  reply: FastifyReply,
  visits: Pick<Visits, 'enter'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const visit = visits.enter();
  const gone = (): void => {
    if (!reply.raw.writableFinished) visit.cancel();
  };
  reply.raw.once('close', gone);
  try {
    return await work(visit.signal);
  } finally {
    reply.raw.off('close', gone);
    visit.release();
  }
}

/** A request's query as it was written, keys in order and doubled ones kept. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const url = request.raw.url ?? '';
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}
