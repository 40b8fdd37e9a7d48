// What the server says, as the page reads it.

/** A value of a parameter. */
export type Value = string | number | boolean;

/** The JSON Schema of one parameter, as far as a form needs it. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Value;
  readonly enum?: readonly Value[];
  readonly const?: Value;
  readonly anyOf?: readonly FieldSchema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** The JSON Schema of a set of parameters. */
export interface Fields {
  readonly properties: Readonly<Record<string, FieldSchema>>;
}

/** `GET /v1/operations`. */
export interface Registry {
  readonly operations: readonly OperationFacts[];
  readonly output: Fields;
  readonly recipe: Fields;
}

/** One operation of the registry. */
export interface OperationFacts {
  readonly name: string;
  readonly summary: string;
  readonly params: Fields;
  readonly examples: readonly Readonly<Record<string, Value>>[];
}

/** Parameters with values, those left out at their defaults. */
export type Values = Readonly<Record<string, Value>>;

/** A recipe as this page builds it: any steps, one output. */
export interface RecipeData extends Readonly<Record<string, unknown>> {
  readonly steps: readonly (Values & { readonly op: string })[];
  readonly outputs: readonly Values[];
}

/** What a job can be. */
export type JobStateName = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A job, of `GET /v1/jobs/{id}`. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: JobStateName;
  readonly priority: string;
  readonly progress: number;
  readonly attempts: number;
  readonly name?: string;
  readonly source: {
    readonly kind: 'upload' | 'path' | 'url';
    readonly path?: string;
    readonly url?: string;
  };
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly expires_at?: string;
  readonly outputs: readonly JobOutput[];
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly title?: string; readonly detail?: string };
}

/** One result of a job. */
export interface JobOutput {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly href: string;
}

/** `GET /v1/jobs/stats`, as far as it is shown. */
export interface Stats {
  readonly depth: Readonly<Partial<Record<JobStateName, Readonly<Record<string, number>>>>>;
  readonly oldest_ms?: number;
  readonly blob_bytes: number;
  readonly workers: { readonly idle: readonly number[]; readonly busy: readonly number[] };
  readonly draining: boolean;
}

/** Whether a job has come to its end. */
export function isFinished({ state }: Pick<Job, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}
