import type { JobJson } from '../src/remote/jobs.js';
import { table } from '../src/report/table.js';
import { printable } from './terminal/streams.js';

/** Jobs as a table; `now` in milliseconds since 1970. */
export function jobTable(jobs: readonly JobJson[], now: number): string[] {
  const rows = jobs.map(({ id, state, progress, priority, created_at: created, name, source }) => [
    id,
    state,
    `${Math.floor(progress * 100)}%`,
    priority,
    ageOf(now - Date.parse(created)),
    printable(name ?? source.path ?? source.url ?? '-'),
  ]);
  return table([['id', 'state', 'done', 'priority', 'age', 'name'], ...rows], new Set([2, 4]));
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** A time in its largest unit; the server's clock may be ahead of ours. */
function ageOf(ms: number): string {
  const [unit, length] = UNITS.find(([, least]) => ms >= least) ?? ['s', 1000];
  return `${Math.max(0, Math.floor(ms / length))}${unit}`;
}

/** All fields of a job, one a line. */
export function jobLines(job: JobJson): string[] {
  const { outputs, error, source, recipe, value, ...plain } = job;
  const fields: (readonly [string, string])[] = Object.entries(plain).map(([key, text]) => [key, `${text}`]);
  fields.push(['source', source.path ?? source.url ?? 'an upload'], ['recipe', JSON.stringify(recipe)]);
  for (const { name, type, bytes, width, height, href } of outputs)
    fields.push(['output', `${name}  ${width}x${height}  ${type}  ${bytes} bytes  ${href}`]);
  if (value !== undefined) fields.push(['value', JSON.stringify(value)]);
  if (error !== undefined) fields.push(['error', `${error.code}: ${error.detail}`]);
  return table(
    fields.map(([key, text]) => [key, printable(text)]),
    new Set(),
  );
}

/** How a job ended, in a line. */
export function endLine({ id, state, name, error }: JobJson): string {
  const why = error !== undefined && state === 'failed' ? `: ${error.code}: ${error.detail}` : '';
  return printable(`${id} ${state}${name === undefined ? '' : ` (${name})`}${why}`);
}
