import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { FORMATS } from '../../codecs/extensions.js';
import { expected, ImgtoolError } from '../../errors.js';
import { writeWhole } from '../../io/write.js';
import type { BlobStore } from '../../jobs/blobs.js';
import type { JobOutput, JobResult, Json, Reference, Target } from '../../jobs/job.js';
import type { ClaimedJob } from '../../jobs/queue.js';
import { parseRecipe } from '../../recipe.js';
import type { Sources } from '../fetch/sources.js';
import type { ImageService, ServedImage } from '../service.js';
import { type SpooledInput, standingInput } from '../spool.js';

/** What a kind of job is done with. */
export interface JobTools {
  readonly service: ImageService;
  readonly sources: Sources;
  readonly blobs: BlobStore;
  /** Ends with the job's time, its cancelling, or the queue. */
  readonly signal: AbortSignal;
  /** Tells how far it is, 0 to 1. */
  progress(fraction: number): void;
}

/** Does jobs of one kind; run again after a crash or a failure that may pass, so it writes whole files or blobs. */
export type JobKind = (job: ClaimedJob, tools: JobTools) => Promise<JobResult>;

/** Makes pictures of the source by the recipe, where the job wants them. */
export const process: JobKind = ({ work }, tools) =>
  withSource(work.source, tools, async (input) => {
    tools.progress(0.1);
    const { images, notes } = await tools.service.process(input, parseRecipe(work.recipe), tools.signal, {
      patient: true,
    });
    tools.progress(0.9);
    const outputs = await delivered(images, work.target, tools.blobs);
    return { outputs, ...(notes.length > 0 && { value: { notes } }) };
  });

/** Reads the facts of the source from its header; they are the job's value. */
export const size: JobKind = ({ work }, tools) =>
  withSource(work.source, tools, async (input) => {
    const { source: _, ...facts } = await tools.service.size(input, tools.signal, { patient: true });
    return { outputs: [], value: JSON.parse(JSON.stringify(facts)) as Json };
  });

/** Runs work over the source of a job: a stored upload, a path inside a root, or a URL, each under its own guard. */
export async function withSource<T>(
  source: Reference,
  { blobs, sources, signal }: Pick<JobTools, 'blobs' | 'sources' | 'signal'>,
  work: (input: SpooledInput) => Promise<T>,
): Promise<T> {
  if (source.kind === 'blob') return work(await ownFile(blobs.path(source.blob)));
  const upload = await sources.open(source.kind === 'path' ? source.path : source.url, signal);
  try {
    return await work(upload);
  } finally {
    upload.release();
  }
}

/** A file of the server's own as an input; nobody else may have chosen its path. */
export async function ownFile(path: string): Promise<SpooledInput> {
  const facts = await stat(path).catch((cause: unknown) => {
    // where the server keeps its files is nobody's business
    throw new ImgtoolError('E_NOT_FOUND', expected('the upload in store', 'none'), { stage: 'read', cause });
  });
  return standingInput(path, facts);
}

/** Stores results as blobs, or the only one as a file; none of them stays when one cannot be written. */
async function delivered(
  images: readonly ServedImage[],
  target: Target,
  blobs: BlobStore,
): Promise<JobOutput[]> {
  if (target.kind === 'path') return [await deliveredTo(target.path, images)];
  const outputs: JobOutput[] = [];
  try {
    for (const [index, image] of images.entries()) {
      const { blob } = await blobs.put(image.bytes);
      outputs.push({ at: { kind: 'blob', blob }, ...described(image, `image-${index}.${image.extension}`) });
    }
    return outputs;
  } catch (thrown) {
    await Promise.all(outputs.map(({ at }) => (at.kind === 'blob' ? blobs.discard(at.blob) : undefined)));
    throw thrown;
  }
}

/** Writes the only result whole to a file, whose folder is made when missing. Throws E_WRITE, E_DISK_FULL, E_PERMISSION. */
export async function deliveredTo(path: string, images: readonly ServedImage[]): Promise<JobOutput> {
  const [image, more] = images;
  if (image === undefined || more !== undefined)
    throw new ImgtoolError('E_INTERNAL', expected('one result for a path', `${images.length}`));
  await writeWhole(path, image.bytes);
  return { at: { kind: 'path', path }, ...described(image, basename(path)) };
}

function described({ format, bytes, width, height }: ServedImage, name: string): Omit<JobOutput, 'at'> {
  return { name, type: FORMATS[format].mime, bytes: bytes.length, width, height };
}

/** Where the bytes of a job's output lie. */
export function pathOf({ at }: JobOutput, blobs: BlobStore): string {
  if (at.kind === 'blob') return blobs.path(at.blob);
  if (at.kind === 'path') return at.path;
  throw new ImgtoolError('E_INTERNAL', expected('a result in a file', at.kind));
}
