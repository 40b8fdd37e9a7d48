import { expected, ImgtoolError } from '../errors.js';
import { type Job, PRIORITIES } from './job.js';

/** A job with its defaults filled in, its work as text. */
export interface CheckedJob {
  readonly work: string;
  readonly level: number;
  readonly delay: number;
  readonly key: string | null;
  readonly tenant: string;
  readonly attempts: number;
  /** Null keeps it for ever. */
  readonly ttl: number | null;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;
const MOST_ATTEMPTS = 100;
const LONGEST_NAME = 256;
const LONGEST_WORK = 1 << 20;

/** Checks what may be out of bounds in a job; throws E_USAGE naming the field. */
export function checkJob(job: Job): CheckedJob {
  const { priority = 'normal', delay = 0, key, tenant = '', attempts = 4, ttl = DAY_MS } = job;
  const { kind, recipe, source, target, labels } = job;
  const work = JSON.stringify({ kind, recipe, source, target, ...(labels && { labels }) });
  const level = PRIORITIES.indexOf(priority);
  check('priority', level >= 0, `one of ${PRIORITIES.join(', ')}`, priority);
  check('delay', delay >= 0 && delay <= YEAR_MS, 'milliseconds from 0 to a year', delay);
  check('key', key === undefined || (key.length > 0 && key.length <= LONGEST_NAME), 'up to 256 letters', key);
  check('tenant', tenant.length <= LONGEST_NAME, 'up to 256 letters', tenant);
  check('attempts', isWithin(attempts, 1, MOST_ATTEMPTS), `a whole number, 1 to ${MOST_ATTEMPTS}`, attempts);
  check('ttl', ttl > 0, 'milliseconds above 0', ttl);
  check('recipe', work.length <= LONGEST_WORK, 'a job of at most 1 MiB of text', `${work.length}`);
  return {
    work,
    level,
    delay: Math.round(delay),
    key: key ?? null,
    tenant,
    attempts,
    ttl: Number.isFinite(ttl) ? Math.round(ttl) : null,
  };
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function check(field: string, fine: boolean, wanted: string, received: unknown): void {
  if (!fine) throw new ImgtoolError('E_USAGE', expected(wanted, received), { stage: 'plan', field });
}
