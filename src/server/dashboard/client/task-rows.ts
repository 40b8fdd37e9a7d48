import type { Job } from './contract.js';
import { el } from './dom.js';
import { type TaskRow, taskRow } from './task-row.js';

/** Most tasks that are shown. */
export const MOST_ROWS = 500;

/** Tasks as rows, the newest first; a task that changes keeps its row. */
export class TaskRows {
  readonly element = el('ol', { class: 'tasks', 'aria-label': 'Tasks' });
  readonly #rows = new Map<string, TaskRow>();
  readonly #open: (job: Job) => void;

  /** `open` shows the details of a task. */
  constructor(open: (job: Job) => void) {
    this.#open = open;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The task as it is shown. */
  get(id: string): Job | undefined {
    return this.#rows.get(id)?.job();
  }

  /** Shows a task, or what has become of it; true when another one had to go for it. */
  put(job: Job): boolean {
    const known = this.#rows.get(job.id);
    if (known !== undefined) known.update(job);
    else this.#insert(job);
    if (this.#rows.size <= MOST_ROWS) return false;
    for (const [id, { element }] of this.#rows) if (element === this.element.lastChild) this.drop(id);
    return true;
  }

  drop(id: string): void {
    this.#rows.get(id)?.element.remove();
    this.#rows.delete(id);
  }

  clear(): void {
    this.#rows.clear();
    this.element.replaceChildren();
  }

  #insert(job: Job): void {
    const row = taskRow(job, this.#open);
    const below = [...this.element.children].find((element) => createdAt(element) <= job.created_at);
    this.#rows.set(job.id, row);
    row.element.dataset.created = job.created_at;
    if (below === undefined) this.element.append(row.element);
    else below.before(row.element);
  }
}

function createdAt(element: Element): string {
  return element instanceof HTMLElement ? (element.dataset.created ?? '') : '';
}
