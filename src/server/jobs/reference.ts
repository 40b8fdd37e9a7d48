import type { Reference } from '../../jobs/job.js';
import { isUrl } from '../fetch/sources.js';

/** A source that a client names, as a job keeps it: it is opened, and judged again, when the job runs. */
export function referenceTo(source: string): Reference {
  return isUrl(source) ? { kind: 'url', url: source } : { kind: 'path', path: source };
}
