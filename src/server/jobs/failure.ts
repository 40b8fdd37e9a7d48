import { ImgtoolError } from '../../errors.js';
import type { JobError } from '../../jobs/job.js';

/** Why a job failed, as it was thrown. */
export function errorOf({ code, message, stage, field }: JobError): ImgtoolError {
  return new ImgtoolError(code, message, { ...(stage && { stage }), ...(field !== undefined && { field }) });
}
