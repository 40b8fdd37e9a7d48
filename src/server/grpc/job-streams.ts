import { createReadStream } from 'node:fs';
import { expected, ImgtoolError } from '../../errors.js';
import { isFinished, type JobOutput, type JobState } from '../../jobs/job.js';
import type { JobEvents } from '../../jobs/queue.js';
import type { JobDesk } from '../jobs/desk.js';
import { errorOf } from '../jobs/failure.js';
import { pathOf } from '../jobs/kinds.js';
import type { Traffic } from './calls.js';
import {
  type GetJobResultRequest,
  type JobMessage,
  type JobRequest,
  jobMessage,
  outputMessage,
  outputOf,
} from './job-messages.js';
import type { ProcessStreamResponse } from './messages.js';
import { CHUNK, type Outgoing, write } from './streams.js';

/** Sends each change of a job as it comes, until it has ended. A reader that is slower than the changes gets the newest; memory holds one. */
export async function watched(
  call: Outgoing<JobMessage> & { readonly request: JobRequest },
  desk: Pick<JobDesk, 'find'> & { readonly queue: Pick<JobEvents, 'subscribe'> },
  signal: AbortSignal,
): Promise<void> {
  const { id } = call.request;
  let news: JobState | undefined;
  let wake = (): void => undefined;
  const stop = desk.queue.subscribe(({ job }) => {
    news = job;
    wake();
  }, id);
  signal.addEventListener('abort', () => wake());
  try {
    const first = await desk.find(id);
    // a change may have come while the job was looked up
    if (news === undefined || news.changed < first.changed) news = first;
    for (;;) {
      const job = news;
      news = undefined;
      await write(call, jobMessage(job), signal);
      if (isFinished(job)) return;
      while (news === undefined) {
        signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stop();
  }
}

/** Sends one result of a job. Throws what the job failed with, E_JOB_UNFINISHED, E_NOT_FOUND, E_EXPIRED. */
export async function sentResult(
  call: Outgoing<ProcessStreamResponse> & { readonly request: GetJobResultRequest },
  desk: JobDesk,
  signal: AbortSignal,
  traffic: Traffic,
): Promise<void> {
  const { id, index } = call.request;
  const job = await desk.find(id);
  const output = resultOf(job, index);
  const file = createReadStream(pathOf(output, desk.queue.blobs), { highWaterMark: CHUNK });
  try {
    await write(
      call,
      { meta: { index, image: outputMessage(job, index), size: output.bytes, notes: [] } },
      signal,
    );
    let offset = 0;
    for await (const data of file as AsyncIterable<Buffer>) {
      await write(call, { chunk: { offset, data } }, signal);
      offset += data.length;
    }
    traffic.bytesOut = offset;
  } catch (thrown) {
    throw thrown instanceof ImgtoolError ? thrown : gone(thrown);
  } finally {
    file.destroy();
  }
}

/** One output of a job that succeeded. */
function resultOf(job: JobState, index: number): JobOutput {
  const { state, error } = job;
  if (!isFinished(job))
    throw new ImgtoolError('E_JOB_UNFINISHED', expected('a job that is finished', `one that is ${state}`));
  if (error !== undefined) throw errorOf(error);
  return outputOf(job, index);
}

/** What is gone from under a job was removed with it just now, or by somebody; its path is nobody's business. */
function gone(cause: unknown): ImgtoolError {
  return new ImgtoolError('E_EXPIRED', expected('a file that is kept', 'one that is gone'), { cause });
}
