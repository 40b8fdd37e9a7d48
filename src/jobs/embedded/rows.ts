import {
  type JobError,
  type JobResult,
  type JobState,
  type JobStatus,
  PRIORITIES,
  type Work,
} from '../job.js';

/** A row of the jobs as {@link rowState} reads it. */
export interface Row {
  readonly n: number;
  readonly id: string;
  readonly state: JobStatus;
  readonly level: number;
  readonly tenant: string;
  readonly work: string;
  readonly attempts: number;
  readonly progress: number;
  readonly created_at: number;
  readonly ready_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly expires_at: number | null;
  readonly error: string | null;
  readonly result: string | null;
  readonly changed: number;
}

/** The columns of a {@link Row}. */
export const ROW =
  'n, id, state, level, tenant, work, attempts, progress, created_at, ready_at, started_at, finished_at, expires_at, error, result, changed';

/** What a running job told of itself that no row holds yet. */
export interface Live {
  readonly progress: number;
  readonly changed: number;
}

/** A row as the state it stands for. */
export function rowState(row: Row, live: Live | undefined): JobState {
  const { outputs, value } = parsed<JobResult>(row.result) ?? { outputs: [] };
  const error = parsed<JobError>(row.error);
  const told = live !== undefined && row.state === 'running' ? live : row;
  return {
    id: row.id,
    state: row.state,
    work: JSON.parse(row.work) as Work,
    priority: PRIORITIES[row.level] ?? 'normal',
    tenant: row.tenant,
    attempts: row.attempts,
    progress: told.progress,
    createdAt: row.created_at,
    readyAt: row.ready_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(error !== undefined && { error }),
    outputs,
    ...(value !== undefined && { value }),
    changed: Math.max(row.changed, told.changed),
  };
}

/** What this module's own code wrote into a column; checked when it was written. */
function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
