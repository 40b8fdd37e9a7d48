import type { Job, JobStateName } from './contract.js';
import { visible } from './text.js';

/** What the states are called here. */
export const STATES: Readonly<Record<JobStateName, string>> = {
  queued: 'Waiting',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** What a job is called: the name its client gave, or where its picture comes from. */
export function titleOf({ name, source, id }: Job): string {
  return visible(name ?? source.path ?? source.url ?? `task ${id.slice(-8)}`);
}

/** A recipe in a few words: `thumbnail size 100, grayscale → webp`. */
export function recipeWords({ kind, recipe }: Job): string {
  if (kind !== 'process') return kind;
  const steps = Array.isArray(recipe.steps) ? recipe.steps.map(stepWords) : [];
  const outputs = Array.isArray(recipe.outputs) ? recipe.outputs : [];
  const formats = outputs
    .map((output) => fieldOf(output, 'format'))
    .filter((format) => format !== 'keep' && format !== '');
  return [steps.join(', ') || 'convert', ...(formats.length > 0 ? [`→ ${formats.join(', ')}`] : [])].join(
    ' ',
  );
}

/** A point in time as this place's clock shows it; the day is named when it is not today. */
export function clockText(iso: string): string {
  const time = new Date(iso);
  const today = time.toDateString() === new Date().toDateString();
  return today ? time.toLocaleTimeString() : time.toLocaleString();
}

/** How long a job ran, or has waited, in milliseconds. */
export function ranFor({ created_at, started_at, finished_at }: Job): number | undefined {
  if (finished_at === undefined) return undefined;
  return Date.parse(finished_at) - Date.parse(started_at ?? created_at);
}

function stepWords(step: unknown): string {
  const op = fieldOf(step, 'op');
  const main = ['size', 'width', 'angle', 'factor']
    .map((key) => fieldOf(step, key))
    .find((value) => value !== '');
  return visible(main === undefined ? op : `${op} ${main}`);
}

function fieldOf(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null) return '';
  const field = (value as Readonly<Record<string, unknown>>)[key];
  return typeof field === 'string' || typeof field === 'number' ? String(field) : '';
}
