import type { sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import { refusalOf } from '../../codecs/failure.js';
import { expected, ImgtoolError } from '../../errors.js';
import type { Job, JobState } from '../../jobs/job.js';
import { recipeJson } from '../../recipe.js';
import type { Sources } from '../fetch/sources.js';
import type { JobDesk } from '../jobs/desk.js';
import { safeName } from '../jobs/names.js';
import { referenceTo } from '../jobs/reference.js';
import type { Upload } from '../spool.js';
import { type Doors, goingDown, serverStream, type Traffic, unary } from './calls.js';
import {
  type GetJobResultRequest,
  type JobMessage,
  type JobRequest,
  jobMessage,
  type ListJobsRequest,
  type ListJobsResponse,
  priorityOf,
  type SubmitJobRequest,
  stateOf,
} from './job-messages.js';
import { sentResult, watched } from './job-streams.js';
import type { ProcessStreamResponse } from './messages.js';
import { recipeFromMessage } from './recipe-message.js';
import { unimplemented } from './status.js';

/** What the methods of jobs need. */
export interface JobDoors extends Doors {
  readonly sources: Sources;
  /** Undefined on a server without a queue. */
  readonly desk: JobDesk | undefined;
}

/** Queued work: `SubmitJob` and what tells of jobs, for a server with a queue; else each says that there is none. */
export function jobMethods(doors: JobDoors): UntypedServiceImplementation {
  return doors.desk === undefined ? withoutQueue() : withQueue(doors, doors.desk);
}

function withQueue(doors: JobDoors, desk: JobDesk): UntypedServiceImplementation {
  const { queue, draining } = desk;
  return {
    submitJob: unary<SubmitJobRequest, JobMessage>(doors, async (request, signal, traffic) =>
      jobMessage(await submitted(request, { doors, desk, signal, traffic })),
    ),
    getJob: unary<JobRequest, JobMessage>(doors, async ({ id }) => jobMessage(await desk.find(id))),
    cancelJob: unary<JobRequest, JobMessage>(doors, async ({ id }) => jobMessage(await desk.cancel(id))),
    retryJob: unary<JobRequest, JobMessage>(doors, async ({ id }) => jobMessage(await desk.retry(id))),
    listJobs: unary<ListJobsRequest, ListJobsResponse>(doors, async ({ state: asked, limit, cursor }) => {
      const state = stateOf(asked);
      const { jobs, next = '' } = await queue.list({
        ...(state && { state }),
        ...(limit !== 0 && { limit }),
        ...(cursor !== '' && { cursor }),
      });
      return { jobs: jobs.map(jobMessage), next };
    }),
    watchJob: serverStream<JobRequest, JobMessage>(doors, draining, (call, signal) =>
      watched(call, desk, signal),
    ),
    getJobResult: serverStream<GetJobResultRequest, ProcessStreamResponse>(
      doors,
      undefined,
      (call, signal, traffic) => {
        if (draining.aborted) throw goingDown();
        return sentResult(call, desk, signal, traffic);
      },
    ),
  };
}

/** What a submission is done with. */
interface Submission {
  readonly doors: JobDoors;
  readonly desk: JobDesk;
  readonly signal: AbortSignal;
  readonly traffic: Traffic;
}

async function submitted(request: SubmitJobRequest, by: Submission): Promise<JobState> {
  const job = jobOf(request);
  const { image, source, input } = request;
  if (input === 'source' && source !== undefined && source !== '') {
    by.doors.sources.checkKind(source);
    return by.desk.submit({ ...job, source: referenceTo(source) });
  }
  if (input !== 'image' || image === undefined)
    throw new ImgtoolError('E_USAGE', expected('an image or a source', 'neither'), { field: 'input' });
  const refusal = refusalOf(image);
  if (refusal !== undefined) throw refusal;
  const upload = await spooled(image, by);
  try {
    return await by.desk.submitUpload(upload, job);
  } finally {
    upload.release();
  }
}

function spooled(image: Buffer, { doors: { service }, signal, traffic }: Submission): Promise<Upload> {
  traffic.bytesIn = image.length;
  return service.spool.write([image], service.limits.bytes, signal);
}

/** The job without its source; what a bad request asks for is refused before its picture is written down. */
function jobOf(request: SubmitJobRequest): Omit<Job, 'source'> {
  const name = safeName(request.name);
  for (const field of ['callbackUrl', 'idempotencyKey'] as const) {
    if (request[field] === '') continue;
    const asked = field === 'callbackUrl' ? 'callback_url' : 'idempotency_key';
    throw new ImgtoolError('E_USAGE', expected(`no ${asked}, which this version does not have`, 'one'), {
      field: asked,
    });
  }
  return {
    kind: 'process',
    recipe: recipeJson(recipeFromMessage(request.recipe)),
    target: { kind: 'blob' },
    priority: priorityOf(request.priority),
    ...(name !== undefined && { labels: { name } }),
  };
}

function withoutQueue(): UntypedServiceImplementation {
  const none = unimplemented('expected a server with a job queue, received one started with --no-jobs');
  const once = (_call: unknown, callback: sendUnaryData<never>): void => callback(none);
  const stream = (call: { emit(event: 'error', error: Error): boolean }): void =>
    void call.emit('error', none);
  return {
    submitJob: once,
    getJob: once,
    cancelJob: once,
    retryJob: once,
    listJobs: once,
    watchJob: stream,
    getJobResult: stream,
  };
}
