import * as z from 'zod';
import { JOB_STATES, type JobState, type Json, PRIORITIES, type Reference } from '../../jobs/job.js';
import type { RecipeInput } from '../../recipe.js';
import { errorOf } from '../jobs/failure.js';
import { outputName } from '../jobs/names.js';
import { type Problem, problemOf } from './problem.js';

const moment = (description: string) => z.string().meta({ format: 'date-time', description });
const whole = z.int().min(0);
const href = (description: string) => z.string().meta({ format: 'uri-reference', description });

const outputSchema = z
  .object({
    name: z.string().describe('a file name for it'),
    type: z.string().describe('its media type'),
    bytes: whole,
    width: whole.describe('pixels'),
    height: whole.describe('pixels'),
    href: href('where its bytes are'),
  })
  .readonly();

const sourceSchema = z
  .object({
    kind: z.enum(['upload', 'path', 'url']),
    path: z.string().optional().describe('as the client named it'),
    url: z.string().optional(),
    href: href('where the bytes of an upload are').optional(),
  })
  .readonly();

/** A job as clients see it; the OpenAPI description is derived from this. */
export const jobSchema = z
  .object({
    id: z.string().meta({ format: 'uuid' }),
    kind: z.string().describe('what is done: process makes pictures, size reads a header'),
    state: z.enum(JOB_STATES),
    priority: z.enum(PRIORITIES),
    progress: z.number().min(0).max(1),
    attempts: whole.describe('how often it was started'),
    name: z.string().optional().describe('the file name that the client gave'),
    source: sourceSchema,
    recipe: z.custom<RecipeInput>().meta({ $ref: '#/components/schemas/Recipe' }),
    created_at: moment('when it was accepted'),
    started_at: moment('when its last attempt began').optional(),
    finished_at: moment('when it ended').optional(),
    expires_at: moment('when it and its results are removed').optional(),
    outputs: z.array(outputSchema).readonly().describe('the pictures it made'),
    value: z.custom<Json>().optional().describe('what else there is to tell: the facts of a size job'),
    error: z
      .custom<Problem>()
      .meta({ $ref: '#/components/schemas/Problem' })
      .optional()
      .describe('why it failed, or why its last attempt did that will be followed by another'),
    href: href('where this job is'),
  })
  .readonly();

/** A job as JSON. */
export type JobJson = z.output<typeof jobSchema>;

/** A job as clients see it: no path of the server's own, and links as absolute paths. */
export function jobJson(job: JobState): JobJson {
  const { id, state, priority, progress, attempts, outputs, value, error, work } = job;
  const name = work.labels?.name;
  return {
    id,
    kind: work.kind,
    state,
    priority,
    progress,
    attempts,
    ...(name !== undefined && { name }),
    source: sourceJson(work.source, id),
    recipe: work.recipe,
    created_at: iso(job.createdAt),
    ...(job.startedAt !== undefined && { started_at: iso(job.startedAt) }),
    ...(job.finishedAt !== undefined && { finished_at: iso(job.finishedAt) }),
    ...(job.expiresAt !== undefined && { expires_at: iso(job.expiresAt) }),
    outputs: outputs.map(({ type, bytes, width, height }, n) => ({
      name: outputName(job, n),
      type,
      bytes,
      width,
      height,
      href: `${jobPath(id)}/result/${n}`,
    })),
    ...(value !== undefined && { value }),
    ...(error !== undefined && { error: problemOf(errorOf(error), work.labels?.request ?? id) }),
    href: jobPath(id),
  };
}

const texts = new WeakMap<JobState, string>();

/** The same as text; one change of a job is written out once, however many watch it. */
export function jobText(job: JobState): string {
  const known = texts.get(job);
  if (known !== undefined) return known;
  const text = JSON.stringify(jobJson(job));
  texts.set(job, text);
  return text;
}

/** Where a job is, on any server. */
export function jobPath(id: string): string {
  return `/v1/jobs/${id}`;
}

function sourceJson(source: Reference, id: string): JobJson['source'] {
  if (source.kind === 'path') return { kind: 'path', path: source.path };
  if (source.kind === 'url') return { kind: 'url', url: source.url };
  return { kind: 'upload', href: `${jobPath(id)}/source` };
}

/** The last moment that a date can be (ECMAScript, section on time values). */
const LAST_MOMENT = 8.64e15;

function iso(ms: number): string {
  return new Date(Math.min(ms, LAST_MOMENT)).toISOString();
}
