import type { Job } from './contract.js';
import { spanText, visible } from './text.js';
import { clockText, ranFor } from './wording.js';

/** What there is to know of a task, as names and texts. */
export function factsOf(job: Job): readonly (readonly [string, string])[] {
  const { kind, path, url } = job.source;
  const ran = ranFor(job);
  const time = (iso: string | undefined): string | undefined => iso && clockText(iso);
  const facts = [
    ['Name', job.name && visible(job.name)],
    ['Source', visible(path ?? url ?? kind)],
    ['Queued', time(job.created_at)],
    ['Started', time(job.started_at)],
    ['Ended', time(job.finished_at)],
    ['Kept until', time(job.expires_at)],
    ['Ran for', ran === undefined ? undefined : spanText(ran)],
    ['Tries', `${job.attempts}`],
    ['Priority', job.priority],
    ['Id', job.id],
    ['Told', job.value === undefined ? undefined : visible(JSON.stringify(job.value))],
  ] as const;
  return facts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
}

/** Why a task failed, with the code to look up. */
export function reasonOf({ error }: Job): string | undefined {
  if (error === undefined) return undefined;
  return visible([error.detail ?? error.title, error.code && `(${error.code})`].filter(Boolean).join(' '));
}
