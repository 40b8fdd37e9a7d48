import { askJson } from './api.js';
import type { Job, JobStateName, Stats } from './contract.js';
import { el } from './dom.js';
import { History } from './history.js';
import { bytesText, spanText } from './text.js';
import { STATES } from './wording.js';

/** How many jobs there are in each state. */
export type Counts = Readonly<Record<JobStateName, number>>;

/** Between two looks at the figures, in milliseconds. */
const EVERY_MS = 3000;

/** Figures of the queue and its workers, asked for every few seconds while somebody looks. */
export class Figures {
  readonly element: HTMLElement;
  readonly #counted: (counts: Counts) => void;
  readonly #history = new History();
  readonly #waiting = new Tile('Waiting');
  readonly #running = new Tile('Running');
  readonly #workers = new Tile('Workers');
  readonly #kept = new Tile('Kept on disk');

  /** `counted` gets the number of jobs in each state. */
  constructor(counted: (counts: Counts) => void) {
    this.#counted = counted;
    const tiles = [this.#waiting, this.#running, this.#workers, this.#kept];
    const parts = [...tiles.map(({ element }) => element), ...this.#history.elements];
    this.element = el('div', { class: 'figures' }, ...parts);
    this.#history.draw();
    setInterval(() => this.refresh(), EVERY_MS);
  }

  /** Takes a finished job into the plots. */
  finished(job: Job): void {
    this.#history.add(job);
  }

  /** Asks for the figures now. */
  refresh(): void {
    if (document.hidden) return;
    this.#history.draw();
    // the stream of events tells of a server that is gone, and joins it again
    askJson<Stats>('v1/jobs/stats').then(
      (stats) => this.#show(stats),
      () => undefined,
    );
  }

  #show({ depth, oldest_ms, workers, blob_bytes }: Stats): void {
    const counts = countsOf(depth);
    this.#counted(counts);
    this.#waiting.set(`${counts.queued}`, oldest_ms === undefined ? '' : `oldest ${spanText(oldest_ms)}`);
    this.#running.set(`${counts.running}`, '');
    this.#workers.set(`${workers.busy.length}`, `busy, ${workers.idle.length} ready`);
    this.#kept.set(bytesText(blob_bytes), 'inputs and results');
  }
}

/** A figure with its name. */
class Tile {
  readonly element: HTMLElement;
  readonly #value = el('strong', {}, '–');
  readonly #note = el('span', { class: 'hint' });

  constructor(title: string) {
    this.element = el(
      'div',
      { class: 'card tile' },
      el('span', { class: 'label' }, title),
      this.#value,
      this.#note,
    );
  }

  set(value: string, note: string): void {
    this.#value.textContent = value;
    this.#note.textContent = note;
  }
}

function countsOf(depth: Stats['depth']): Counts {
  const sum = (state: string): number =>
    Object.values(depth[state as JobStateName] ?? {}).reduce((all, count) => all + count, 0);
  return Object.fromEntries(Object.keys(STATES).map((state) => [state, sum(state)])) as Counts;
}
