import { setMaxListeners } from 'node:events';
import { constants } from 'node:fs';
import { copyFile, link, open } from 'node:fs/promises';
import { type ErrorCode, expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import { type EmbeddedQueue, openEmbedded } from '../../jobs/embedded.js';
import { type BlobId, isFinished, type Job, type JobId, type JobState } from '../../jobs/job.js';
import { QUEUE_LIMITS, type QueueLimits } from '../../jobs/limits.js';
import { deadline } from '../deadline.js';
import type { Sources } from '../fetch/sources.js';
import { isOwnFault } from '../own-fault.js';
import type { ImageService } from '../service.js';
import type { Upload } from '../spool.js';
import { type JobKind, process, size } from './kinds.js';

/** How a server's jobs are set up. */
export interface JobOptions {
  /** The data folder; it is made when missing, and one process's alone. */
  readonly folder: string;
  /** Milliseconds that a job and its results are kept after its end. */
  readonly ttl: number;
  /** Time for one try of one job, in milliseconds (E_TIMEOUT). */
  readonly limitMs: number;
  readonly limits?: Partial<QueueLimits>;
}

/** What jobs work with. */
export interface JobParts {
  readonly service: ImageService;
  readonly sources: Sources;
  /** What jobs of other kinds than `process` and `size` do. */
  readonly kinds?: Readonly<Record<string, JobKind>>;
  /** Told of failures that are the server's own. */
  failed?(id: JobId, error: unknown): void;
}

/**
 * Where a server's doors hand in jobs and ask for them: the queue, with what spools and runs around it. Jobs run in the
 * same decoder processes as requests do, at most as many as there are decoders.
 */
export interface JobDesk {
  readonly queue: EmbeddedQueue;
  /** Milliseconds that a job is kept after its end when nothing else is said. */
  readonly ttl: number;
  /** Queues work and gives its job; throws what the queue refuses with. */
  submit(job: Job): Promise<JobState>;
  /** Queues work over an upload, which stays the caller's to release; throws as `submit`, and E_QUEUE_FULL when the store is full. */
  submitUpload(upload: Upload, job: Omit<Job, 'source'>): Promise<JobState>;
  /** A job; throws E_NOT_FOUND for one that never was, and E_EXPIRED. */
  find(id: JobId): Promise<JobState>;
  /** Cancels a job and gives it: a running one is told to stop, and ends when it has. Throws as `find`, and E_JOB_FINISHED. */
  cancel(id: JobId): Promise<JobState>;
  /** Has a job tried again that failed or was cancelled. Throws as `find`, E_JOB_FINISHED and E_JOB_UNFINISHED. */
  retry(id: JobId): Promise<JobState>;
  /** Aborted once no more jobs are taken; those who watch jobs are to be let go. */
  readonly draining: AbortSignal;
  /** Why no more jobs should be sent, in a word; undefined while they should. */
  unready(): Promise<string | undefined>;
  /** Takes no more jobs and starts none. */
  drain(): void;
  /** Lets running jobs finish for so many milliseconds, returns the rest to the queue, and closes it. */
  close(graceMs?: number): Promise<void>;
}

/** Opens the queue in a folder and begins to work on it. Throws E_DATA_IN_USE, E_CONFIG and what a folder refuses with. */
export async function openDesk(options: JobOptions, parts: JobParts): Promise<JobDesk> {
  const { folder, limits, ttl } = options;
  const queue = await openEmbedded({ folder, ...(limits && { limits }) }).catch((thrown: unknown) => {
    throw unusable(thrown, folder);
  });
  const kinds: Readonly<Record<string, JobKind>> = { process, size, ...parts.kinds };
  const { service, sources, failed } = parts;
  void queue.work(async (job, { signal, progress }) => {
    const clock = deadline(options.limitMs);
    const until = AbortSignal.any([signal, clock.signal]);
    try {
      const kind = kinds[job.work.kind];
      if (kind === undefined) throw new ImgtoolError('E_INTERNAL', expected('a kind of job', job.work.kind));
      return await kind(job, { service, sources, blobs: queue.blobs, signal: until, progress });
    } catch (thrown) {
      if (!(thrown instanceof ImgtoolError) || isOwnFault(thrown)) failed?.(job.id, thrown);
      throw thrown;
    } finally {
      clock.release();
    }
  }, service.limits.workers);
  return new Desk(queue, ttl, limits?.queued ?? QUEUE_LIMITS.queued);
}

class Desk implements JobDesk {
  readonly queue: EmbeddedQueue;
  readonly ttl: number;
  readonly #mostQueued: number;
  readonly #draining = new AbortController();

  constructor(queue: EmbeddedQueue, ttl: number, mostQueued: number) {
    this.queue = queue;
    this.ttl = ttl;
    this.#mostQueued = mostQueued;
    // everybody who waits or watches listens for it
    setMaxListeners(0, this.#draining.signal);
  }

  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  async submit(job: Job): Promise<JobState> {
    return this.find(await this.queue.submit({ ttl: this.ttl, ...job }));
  }

  async submitUpload(upload: Upload, job: Omit<Job, 'source'>): Promise<JobState> {
    const blob = await stored(this.queue, upload);
    return this.submit({ ...job, source: { kind: 'blob', blob } });
  }

  async find(id: JobId): Promise<JobState> {
    const job = await this.queue.get(id);
    if (job === undefined)
      throw new ImgtoolError('E_NOT_FOUND', expected('the id of a job', id.slice(0, 64)));
    return job;
  }

  async cancel(id: JobId): Promise<JobState> {
    const isCancelled = await this.queue.cancel(id);
    const job = await this.find(id);
    if (isCancelled) return job;
    throw new ImgtoolError('E_JOB_FINISHED', expected('a job that waits or runs', `one that ${job.state}`));
  }

  async retry(id: JobId): Promise<JobState> {
    const isQueued = await this.queue.retry(id);
    const job = await this.find(id);
    if (isQueued) return job;
    const [code, received] = isFinished(job)
      ? (['E_JOB_FINISHED', `one that ${job.state}`] as const)
      : (['E_JOB_UNFINISHED', `one that is ${job.state}`] as const);
    throw new ImgtoolError(code, expected('a job that failed or was cancelled', received));
  }

  async unready(): Promise<string | undefined> {
    try {
      const { queued } = (await this.queue.counts()).depth;
      const waiting = Object.values(queued).reduce((sum, count) => sum + count, 0);
      return waiting >= this.#mostQueued ? 'job queue full' : undefined;
    } catch {
      return 'job queue lost';
    }
  }

  drain(): void {
    this.#draining.abort();
    this.queue.drain();
  }

  close(graceMs?: number): Promise<void> {
    this.drain();
    return this.queue.close(graceMs);
  }
}

const OF_THE_FOLDER: readonly ErrorCode[] = [
  'E_PERMISSION',
  'E_NOT_FOUND',
  'E_NOT_A_FILE',
  'E_WRITE',
  'E_DISK_FULL',
];

/** Why a data folder will not do, with the ways out: the folder was rarely the user's own choice. */
function unusable(thrown: unknown, folder: string): ImgtoolError {
  const { code, message, file = folder } = toImgtoolError(thrown, 'E_WRITE');
  const isOfFolder = OF_THE_FOLDER.includes(code);
  const sentence = isOfFolder ? expected('a data folder that can be written', message) : message;
  // what is not there is the place for the folder
  return new ImgtoolError(
    code === 'E_NOT_FOUND' ? 'E_WRITE' : code,
    `${sentence}; --data-dir names another folder, --no-jobs does without`,
    { stage: isOfFolder ? 'write' : 'read', file, cause: thrown },
  );
}

/** An upload among the blobs, on the disk for good: the same file under a second name where that is possible. */
async function stored({ blobs }: EmbeddedQueue, upload: Upload): Promise<BlobId> {
  const { blob, path } = blobs.place();
  try {
    await link(upload.path, path).catch(() => copyFile(upload.path, path, constants.COPYFILE_EXCL));
    const file = await open(path, 'r+');
    await file.datasync().finally(() => file.close());
    await blobs.keep(blob);
    return blob;
  } catch (thrown) {
    await blobs.discard(blob);
    throw thrown;
  }
}
