import { announce } from './announce.js';
import { ask, wordsFor } from './api.js';
import { isFinished, type Job } from './contract.js';
import { button, el, show } from './dom.js';
import { factsOf, reasonOf } from './task-facts.js';
import { TaskPictures } from './task-pictures.js';
import { visible } from './text.js';
import { STATES, titleOf } from './wording.js';

/** The details of one task, over the page. */
export class TaskDialog {
  readonly element: HTMLDialogElement;
  readonly #reuse: (recipe: Readonly<Record<string, unknown>>) => void;
  readonly #title = el('h2', { id: 'task-title' });
  readonly #state = el('span', { class: 'state' });
  readonly #progress = el('progress', { max: 1, 'aria-label': 'Progress' });
  readonly #problem = el('p', { class: 'problem' });
  readonly #facts = el('dl');
  readonly #recipe = el('code');
  readonly #pictures = new TaskPictures();
  readonly #cancel = button('Cancel task', () => this.#act('DELETE', '', 'Cancelling'));
  readonly #retry = button('Try again', () => this.#act('POST', '/retry', 'Queued again'), {
    class: 'primary',
  });
  readonly #use = button('Use this recipe', () => this.#useRecipe());
  #shown: Job | undefined;

  /** `reuse` takes the recipe of the task that is shown. */
  constructor(reuse: (recipe: Readonly<Record<string, unknown>>) => void) {
    this.#reuse = reuse;
    const close = { class: 'close', 'aria-label': 'Close', title: 'Close' };
    const recipe = { class: 'code', tabindex: 0, role: 'region', 'aria-label': 'Recipe' };
    this.element = el(
      'dialog',
      {
        'aria-labelledby': 'task-title',
        onclose: () => this.#closed(),
        onclick: (event) => this.#clicked(event),
      },
      el(
        'header',
        {},
        this.#title,
        button('×', () => this.element.close(), close),
      ),
      el('div', { class: 'bar' }, this.#state, this.#progress, this.#retry, this.#cancel, this.#use),
      this.#problem,
      this.#pictures.element,
      this.#facts,
      el('h3', {}, 'Recipe'),
      el('pre', recipe, this.#recipe),
    );
  }

  open(job: Job): void {
    this.#update(job);
    this.element.showModal();
    this.element.scrollTop = 0;
  }

  /** Takes in what happened to a job, if it is the one that is shown. */
  changed(job: Job): void {
    if (this.#shown?.id === job.id) this.#update(job);
  }

  #update(job: Job): void {
    const before = this.#shown;
    this.#shown = job;
    this.#title.textContent = titleOf(job);
    this.element.dataset.state = job.state;
    this.#state.textContent = STATES[job.state];
    this.#progress.value = job.progress;
    show(this.#progress, job.state === 'running');
    show(this.#cancel, !isFinished(job));
    show(this.#retry, job.state === 'failed' || job.state === 'cancelled');
    show(this.#use, job.kind === 'process');
    this.#complain(reasonOf(job));
    const facts = factsOf(job).flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]);
    this.#facts.replaceChildren(...facts);
    this.#recipe.textContent = visible(JSON.stringify(job.recipe, null, 2)).replaceAll('‹U+000A›', '\n');
    if (before?.id !== job.id || before.state !== job.state) this.#pictures.show(job);
  }

  async #act(method: string, path: string, said: string): Promise<void> {
    try {
      await ask(`v1/jobs/${this.#shown?.id}${path}`, { method });
      announce(said);
    } catch (thrown) {
      const words = wordsFor(thrown);
      this.#complain(words);
      announce(words);
    }
  }

  #complain(words: string | undefined): void {
    this.#problem.textContent = words ?? '';
    show(this.#problem, words !== undefined);
  }

  #useRecipe(): void {
    const recipe = this.#shown?.recipe;
    this.element.close();
    if (recipe !== undefined) this.#reuse(recipe);
  }

  #closed(): void {
    this.#shown = undefined;
    this.#pictures.clear();
  }

  /** A click beside it closes it, as Escape does. */
  #clicked(event: Event): void {
    if (event.target === this.element) this.element.close();
  }
}
