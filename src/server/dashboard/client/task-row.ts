import type { Job } from './contract.js';
import { button, el, show } from './dom.js';
import { spanText, visible } from './text.js';
import { clockText, ranFor, recipeWords, STATES, titleOf } from './wording.js';

/** A task in the list; `update` keeps the elements, so that focus and selection stay where they are. */
export interface TaskRow {
  readonly element: HTMLElement;
  readonly job: () => Job;
  update(job: Job): void;
}

/** Makes the row of a task; `open` shows its details. */
export function taskRow(first: Job, open: (job: Job) => void): TaskRow {
  let job = first;
  const state = el('span', { class: 'state' });
  const name = button('', () => open(job), { class: 'name' });
  const recipe = el('span', { class: 'hint what' });
  const progress = el('progress', { max: 1, 'aria-label': 'Progress' });
  const when = el('time', { class: 'hint when' });
  const reason = el('p', { class: 'reason' });
  const element = el(
    'li',
    { class: 'task' },
    state,
    el('div', { class: 'who' }, name, recipe),
    progress,
    when,
    reason,
  );
  const update = (changed: Job): void => {
    job = changed;
    element.dataset.state = job.state;
    state.textContent = STATES[job.state];
    name.textContent = titleOf(job);
    recipe.textContent = recipeWords(job);
    progress.value = job.progress;
    show(progress, job.state === 'running');
    const ran = ranFor(job);
    when.dateTime = job.finished_at ?? job.created_at;
    when.textContent = `${clockText(when.dateTime)}${ran === undefined ? '' : ` · ${spanText(ran)}`}`;
    reason.textContent = job.error === undefined ? '' : visible(job.error.detail ?? job.error.title ?? '');
    show(reason, job.error !== undefined);
  };
  update(first);
  return { element, job: () => job, update };
}
