import { ImgtoolError } from '../errors.js';
import { isFinished, type JobId, type JobState } from './job.js';
import type { JobEvents, JobQueue } from './queue.js';

/** A job once it is finished; throws E_NOT_FOUND or E_EXPIRED when there is none, or the reason of the signal. */
export async function whenFinished(
  queue: Pick<JobQueue, 'get'> & JobEvents,
  id: JobId,
  signal?: AbortSignal,
): Promise<JobState> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = deferred<JobState>();
  const stop = queue.subscribe(({ job }) => isFinished(job) && resolve(job), id);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    // looked at after subscribing, so that an end in between is not missed
    const now = await queue.get(id);
    if (now === undefined) throw new ImgtoolError('E_NOT_FOUND', `expected the id of a job, received ${id}`);
    return isFinished(now) ? now : await promise;
  } finally {
    stop();
    signal?.removeEventListener('abort', abort);
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // nobody may be waiting yet, or any more
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
