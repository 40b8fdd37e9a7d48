import type { JobState } from '../../jobs/job.js';

/** Letters of a name that are kept. */
const LONGEST = 200;

/**
 * A file name as a client gave it, fit to be shown and stored: its last part, without letters that control a terminal or
 * turn the direction of writing, which can make one extension look like another. Undefined when nothing is left.
 */
export function safeName(text: string): string | undefined {
  const last = text.split(/[/\\]/).at(-1) ?? '';
  const shown = last.replaceAll(/[\p{Cc}\p{Surrogate}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '').trim();
  const name = [...shown].slice(0, LONGEST).join('');
  return /^\.*$/.test(name) ? undefined : name;
}

/** A file name for a result: the client's own with the result's extension, numbered when there are several. */
export function outputName({ outputs, work }: Pick<JobState, 'outputs' | 'work'>, n: number): string {
  const made = outputs[n]?.name ?? `image-${n}`;
  const given = work.labels?.name;
  if (given === undefined || work.target.kind !== 'blob') return made;
  const extension = /\.[^.]*$/.exec(made)?.[0] ?? '';
  const stem = given.replace(/(?<=.)\.[^.]*$/, '');
  return outputs.length === 1 ? `${stem}${extension}` : `${stem}-${n}${extension}`;
}
