import type { Job, JobId, JobResult, JobState, JobStatus, Priority, Work } from './job.js';

/** A job in a handler's hands. */
export interface ClaimedJob {
  readonly id: JobId;
  readonly work: Work;
  readonly tenant: string;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** What a handler is given beside the job. */
export interface HandlerContext {
  /** Aborted when the job is cancelled, its lease is lost, or the queue closes; the reason is an ImgtoolError. */
  readonly signal: AbortSignal;
  /** Tells how far it is, 0 to 1; steps under a hundredth are not passed on. */
  progress(fraction: number): void;
}

/**
 * Does a job's work. What it throws ends the job, or has it tried again when the error's code is one that may pass.
 * It may be run twice for one job (after a crash), so it writes whole files or blobs; only one answer becomes visible.
 */
export type Handler = (job: ClaimedJob, context: HandlerContext) => Promise<JobResult>;

/**
 * A durable queue: what it accepted comes to an end, whatever happens to the process.
 *
 * `submit` takes over the job's source blob: refused or taken for another job, the blob is gone. It throws E_QUEUE_FULL,
 * E_QUOTA, E_DISK_FULL or E_DRAINING. `get` throws E_EXPIRED for a job that was, and gives undefined for one that never was.
 * `work` runs jobs, at most `concurrency` at a time, until the queue closes. `cancel` is false for a job that is finished
 * or unknown. `close` gives running jobs a while to finish and returns the rest to the queue.
 */
export interface JobQueue {
  submit(job: Job): Promise<JobId>;
  get(id: JobId): Promise<JobState | undefined>;
  work(handle: Handler, concurrency: number): Promise<void>;
  cancel(id: JobId): Promise<boolean>;
  close(): Promise<void>;
}

/** Which jobs to list. */
export interface ListQuery {
  readonly state?: JobStatus;
  readonly tenant?: string;
  /** The `next` of the page before. */
  readonly cursor?: string;
  /** 1 to 1000; default 50. */
  readonly limit?: number;
}

/** Some jobs, the newest first. */
export interface JobPage {
  readonly jobs: readonly JobState[];
  /** What to ask for the next page with; absent on the last. */
  readonly next?: string;
}

/** Listing as a capability of a queue; throws E_USAGE for a cursor it never gave. */
export interface JobListing {
  list(query?: ListQuery): Promise<JobPage>;
}

/** A change of a job: its new state under a number that only grows, over restarts too. */
export interface JobEvent {
  readonly id: number;
  readonly job: JobState;
}

/** The jobs that changed after an event, each once and as it stands now, in the order of their changes. */
export interface Changes {
  readonly events: readonly JobEvent[];
  /** False when there are more: ask again after the last. */
  readonly complete: boolean;
}

/** Events as a capability: live ones by subscription, missed ones by number. */
export interface JobEvents {
  /** Calls the listener after each change of a job, or of all; gives what ends that. */
  subscribe(listener: (event: JobEvent) => void, job?: JobId): () => void;
  /** What changed after an event id, at most `limit` (1 to 1000) jobs. */
  since(id: number, limit: number): Promise<Changes>;
}

/** Trying again as a capability: false unless the job had failed or been cancelled. */
export interface JobRetry {
  retry(id: JobId): Promise<boolean>;
}

/** Figures for metrics; the totals count since the queue was opened. */
export interface JobCounts {
  readonly depth: Readonly<Record<JobStatus, Readonly<Record<Priority, number>>>>;
  /** Milliseconds that the job waiting longest has been ready; undefined when none is. */
  readonly oldest: number | undefined;
  readonly blobBytes: number;
  readonly submitted: number;
  readonly finished: number;
  readonly retries: number;
  readonly lost: number;
  readonly expired: number;
}

/** Counting as a capability. */
export interface JobCounting {
  counts(): Promise<JobCounts>;
}

/** A queue with every capability, as a server wants it. */
export interface FullJobQueue extends JobQueue, JobListing, JobEvents, JobRetry, JobCounting {}
