import { announce } from './announce.js';
import { askJson, wordsFor } from './api.js';
import { isFinished, type Job, type JobStateName } from './contract.js';
import { button, el, radios, show } from './dom.js';
import { MOST_ROWS, TaskRows } from './task-rows.js';
import { STATES, titleOf } from './wording.js';

type Filter = JobStateName | 'all';

interface Page {
  readonly jobs: readonly Job[];
  readonly next?: string;
}

/** The list of tasks, all or those in one state. */
export class TaskList {
  readonly element: HTMLElement;
  readonly #rows: TaskRows;
  readonly #finished: (job: Job) => void;
  readonly #note = el('p', { class: 'hint' });
  readonly #older = button('Show older', () => this.#load(this.#next));
  readonly #filters = radios('Show tasks', FILTERS, 'all', (filter) => this.#show(filter));
  #filter: Filter = 'all';
  #next: string | undefined;
  /** What the stream told since the list was asked for is newer than the list. */
  #told = new Set<string>();
  #asked = 0;

  /** `open` shows the details of a task, `finished` is told of each that has ended. */
  constructor(open: (job: Job) => void, finished: (job: Job) => void) {
    this.#rows = new TaskRows(open);
    this.#finished = finished;
    this.element = el(
      'div',
      { class: 'task-list' },
      this.#filters,
      this.#rows.element,
      this.#note,
      this.#older,
    );
    this.#sayHowMany();
  }

  /** Takes in what happened to a job. */
  changed(job: Job): void {
    this.#told.add(job.id);
    const before = this.#rows.get(job.id);
    this.#put(job);
    this.#sayHowMany();
    if (!isFinished(job)) return;
    this.#finished(job);
    if (before?.state !== job.state) announce(`${titleOf(job)}: ${STATES[job.state].toLowerCase()}`);
  }

  /** Takes in a job that was handed in here; what the stream or a list told of it meanwhile is newer. */
  accepted(job: Job): void {
    if (!this.#told.has(job.id) && this.#rows.get(job.id) === undefined) this.#put(job);
    this.#sayHowMany();
  }

  /** Asks for the list anew, as after a time without news. */
  reload(): void {
    void this.#load();
  }

  /** Shows how many there are in each state. */
  count(counts: Readonly<Record<JobStateName, number>>): void {
    for (const input of this.#filters.querySelectorAll('input')) {
      const state = STATE_NAMES.find((name) => name === input.value);
      if (state === undefined || input.nextElementSibling === null) continue;
      input.nextElementSibling.textContent = [STATES[state], counts[state] || ''].join(' ').trim();
    }
  }

  #show(filter: Filter): void {
    this.#filter = filter;
    this.#rows.clear();
    void this.#load();
  }

  #put(job: Job): void {
    if (this.#filter !== 'all' && job.state !== this.#filter) this.#rows.drop(job.id);
    // what was cut off lies before the cursor
    else if (this.#rows.put(job)) this.#next = undefined;
  }

  async #load(cursor?: string): Promise<void> {
    this.#asked += 1;
    const mine = this.#asked;
    this.#told = new Set();
    try {
      const page = await askJson<Page>(`v1/jobs?${queryOf(this.#filter, cursor)}`);
      // another filter was chosen meanwhile
      if (mine === this.#asked) this.#take(page);
    } catch (thrown) {
      this.#note.textContent = wordsFor(thrown);
    }
  }

  #take({ jobs, next }: Page): void {
    this.#next = next;
    for (const job of jobs) {
      if (isFinished(job)) this.#finished(job);
      if (!this.#told.has(job.id)) this.#put(job);
    }
    this.#sayHowMany();
  }

  #sayHowMany(): void {
    const { size } = this.#rows;
    const full = size === MOST_ROWS ? `The newest ${MOST_ROWS} are shown.` : '';
    this.#note.textContent = size === 0 ? 'Nothing here yet.' : full;
    show(this.#older, this.#next !== undefined && size < MOST_ROWS);
  }
}

const STATE_NAMES = Object.keys(STATES) as JobStateName[];

const FILTERS: readonly (readonly [Filter, string])[] = [
  ['all', 'All'],
  ...STATE_NAMES.map((name) => [name, STATES[name]] as const),
];

/** Tasks asked for at once. */
const PAGE = 50;

function queryOf(filter: Filter, cursor: string | undefined): URLSearchParams {
  return new URLSearchParams({
    limit: `${PAGE}`,
    ...(filter !== 'all' && { state: filter }),
    ...(cursor !== undefined && { cursor }),
  });
}
