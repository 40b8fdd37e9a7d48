import type { ErrorCode, Stage } from '../errors.js';
import type { RecipeInput } from '../recipe.js';

/** The name of a job: a UUIDv7, 74 bits of it random, so that nobody guesses another's. */
export type JobId = string;

/** The name of stored bytes in a {@link BlobStore}. */
export type BlobId = string;

/** What a job can be; the last three are its end. */
export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** One of {@link JOB_STATES}. */
export type JobStatus = (typeof JOB_STATES)[number];

/** Levels of urgency, first served first: single requests are `normal`, what comes in hundreds is `batch`. */
export const PRIORITIES = ['urgent', 'normal', 'batch', 'idle'] as const;

/** One of {@link PRIORITIES}. */
export type Priority = (typeof PRIORITIES)[number];

/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Where bytes are: never the bytes themselves. */
export type Reference =
  | { readonly kind: 'blob'; readonly blob: BlobId }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string };

/** Where results go: among the queue's own blobs, or into a file or folder. */
export type Target = { readonly kind: 'blob' } | { readonly kind: 'path'; readonly path: string };

/** What is to be done, as a handler sees it. */
export interface Work {
  /** `process` makes pictures, `size` reads facts from a header; a handler may know more. */
  readonly kind: string;
  readonly recipe: RecipeInput;
  readonly source: Reference;
  readonly target: Target;
  /** What the door that took the job wants to find again, such as the name a client gave. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is submitted: the work, and how it is queued. */
export interface Job extends Work {
  /** Default `normal`. */
  readonly priority?: Priority;
  /** Milliseconds before it may run; default 0. */
  readonly delay?: number;
  /** A job with the same key and tenant that is queued or running is taken for this one. */
  readonly key?: string;
  /** Whose job it is; default the empty name. */
  readonly tenant?: string;
  /** How often it may be tried, 1 to 100, while its failures are of the kind that may pass; default 4. */
  readonly attempts?: number;
  /** Milliseconds that it and its result are kept after its end; Infinity keeps them; default a day. */
  readonly ttl?: number;
}

/** One result of a job. */
export interface JobOutput {
  readonly at: Reference;
  /** A file name for it, without folders. */
  readonly name: string;
  /** Its media type. */
  readonly type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

/** What a handler answers: pictures, and what else there is to tell. */
export interface JobResult {
  readonly outputs: readonly JobOutput[];
  readonly value?: Json;
}

/** Why a job failed. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stage?: Stage;
  readonly file?: string;
  readonly field?: string;
}

/** A job as it stands. Times are milliseconds since 1970. */
export interface JobState extends JobResult {
  readonly id: JobId;
  readonly state: JobStatus;
  readonly work: Work;
  readonly priority: Priority;
  readonly tenant: string;
  /** How often it was started. */
  readonly attempts: number;
  /** 0 to 1, never falling during one attempt. */
  readonly progress: number;
  readonly createdAt: number;
  /** When it may run, or might have. */
  readonly readyAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly expiresAt?: number;
  /** Of a failed job, or of one that waits to be tried again. */
  readonly error?: JobError;
  /** The id of its last event: the same number means the same state. */
  readonly changed: number;
}

/** Whether a job has come to its end. */
export function isFinished({ state }: Pick<JobState, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}
