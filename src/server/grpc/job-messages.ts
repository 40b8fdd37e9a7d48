import { FORMATS, type Format, formats } from '../../codecs/extensions.js';
import { expected, ImgtoolError } from '../../errors.js';
import { JOB_STATES, type JobOutput, type JobState, type JobStatus, type Priority } from '../../jobs/job.js';
import { outputName } from '../jobs/names.js';
import type { ImageMessage, RecipeMessage } from './messages.js';

/** A request to queue work, as proto-loader reads it. */
export interface SubmitJobRequest {
  readonly recipe: RecipeMessage | null;
  readonly input?: 'image' | 'source';
  readonly image?: Buffer;
  readonly source?: string;
  readonly priority: number;
  readonly callbackUrl: string;
  readonly idempotencyKey: string;
  readonly name: string;
}

/** A request that names a job. */
export interface JobRequest {
  readonly id: string;
}

export interface ListJobsRequest {
  /** A name, or the number of one that is not known. */
  readonly state: string | number;
  readonly limit: number;
  readonly cursor: string;
}

export interface ListJobsResponse {
  readonly jobs: readonly JobMessage[];
  readonly next: string;
}

export interface GetJobResultRequest extends JobRequest {
  readonly index: number;
}

interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

/** A job as clients see it; what it does not have is left out. */
export interface JobMessage {
  readonly id: string;
  readonly state: Uppercase<JobStatus>;
  readonly priority: number;
  readonly progress: number;
  readonly createdAt: Timestamp;
  readonly startedAt?: Timestamp;
  readonly finishedAt?: Timestamp;
  readonly expiresAt?: Timestamp;
  readonly outputs: readonly ImageMessage[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly stage: string;
    readonly field: string;
  };
  readonly kind: string;
  readonly name: string;
  readonly attempts: number;
  readonly source: string;
  readonly value: string;
}

const LEVELS: Readonly<Record<Priority, number>> = { urgent: 1, normal: 0, batch: -1, idle: -2 };

/** The priority of a number, 1 to -2. Throws E_USAGE for another. */
export function priorityOf(level: number): Priority {
  const names: readonly Priority[] = ['urgent', 'normal', 'batch', 'idle'];
  const name = names.find((known) => LEVELS[known] === level);
  if (name !== undefined) return name;
  const wanted = '1 (urgent), 0 (normal), -1 (batch) or -2 (idle)';
  throw new ImgtoolError('E_USAGE', expected(wanted, level), { field: 'priority' });
}

/** The state that a request asks for, undefined for any. Throws E_USAGE for one that is none. */
export function stateOf(asked: string | number): JobStatus | undefined {
  if (asked === 'STATE_UNSPECIFIED') return undefined;
  const state = JOB_STATES.find((known) => known.toUpperCase() === asked);
  if (state !== undefined) return state;
  throw new ImgtoolError('E_USAGE', expected(`one of ${JOB_STATES.join(', ').toUpperCase()}`, asked), {
    field: 'state',
  });
}

/** A job as a message. */
export function jobMessage(job: JobState): JobMessage {
  const { id, state, priority, progress, work, attempts, error, value } = job;
  return {
    id,
    state: state.toUpperCase() as Uppercase<JobStatus>,
    priority: LEVELS[priority],
    progress,
    createdAt: timestamp(job.createdAt),
    ...(job.startedAt !== undefined && { startedAt: timestamp(job.startedAt) }),
    ...(job.finishedAt !== undefined && { finishedAt: timestamp(job.finishedAt) }),
    ...(job.expiresAt !== undefined && { expiresAt: timestamp(job.expiresAt) }),
    outputs: job.outputs.map((_, index) => outputMessage(job, index)),
    ...(error && {
      error: {
        code: error.code,
        message: error.message,
        stage: error.stage ?? '',
        field: error.field ?? '',
      },
    }),
    kind: work.kind,
    name: work.labels?.name ?? '',
    attempts,
    source: sourceText(work.source),
    value: value === undefined ? '' : JSON.stringify(value),
  };
}

/** What one of a job's results is, without its bytes. Throws E_NOT_FOUND for one there is none of. */
export function outputMessage(job: JobState, index: number): ImageMessage {
  const { type, width, height, bytes } = outputOf(job, index);
  const name = outputName(job, index);
  return { format: formatOf(type) ?? '', contentType: type, width, height, frames: 0, name, size: bytes };
}

/** One of a job's results. Throws E_NOT_FOUND for one there is none of. */
export function outputOf({ outputs, state }: JobState, index: number): JobOutput {
  const output = outputs[index];
  if (output !== undefined) return output;
  const received = state === 'cancelled' ? 'one that was cancelled' : `one with ${outputs.length}`;
  throw new ImgtoolError('E_NOT_FOUND', expected(`a job with a result ${index}`, received), {
    field: 'index',
  });
}

function sourceText(source: JobState['work']['source']): string {
  if (source.kind === 'blob') return '';
  return source.kind === 'url' ? source.url : source.path;
}

function formatOf(type: string): Format | undefined {
  return formats().find((format) => FORMATS[format].mime === type);
}

function timestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round(ms - seconds * 1000) * 1_000_000 };
}
