import { announce } from './announce.js';
import { hasJobs, Refusal, wordsFor } from './api.js';
import { comparison } from './compare.js';
import type { Job, Registry } from './contract.js';
import { copyAs } from './copy-as.js';
import { button, el, show } from './dom.js';
import { picker } from './picker.js';
import { type RecipeForm, recipeForm } from './recipe-form.js';
import { bytesText, spanText, visible } from './text.js';
import { type Made, process, submit } from './work.js';

/** The place where a recipe is built and tried on a picture. */
export class Studio {
  readonly element: HTMLElement;
  readonly #queued: (job: Job) => void;
  readonly #form: RecipeForm;
  readonly #pictures = comparison();
  readonly #texts = copyAs();
  readonly #facts = el('p', { class: 'facts' });
  readonly #problem = el('p', { class: 'problem', hidden: true });
  readonly #result = el('a', { class: 'button', hidden: true }, 'Save result');
  readonly #run = button('Run', () => this.#process(), { class: 'primary', disabled: true });
  readonly #queue = button('Queue it', () => this.#submit(), { disabled: true });
  readonly #priority = el('select', {}, ...PRIORITIES.map((name) => el('option', {}, name)));
  #files: readonly File[] = [];
  #running: AbortController | undefined;

  /** `queued` is told of jobs that were handed in. */
  constructor(registry: Registry, queued: (job: Job) => void) {
    this.#queued = queued;
    this.#form = recipeForm(registry, () => this.#changed());
    this.#priority.value = 'normal';
    const queueing = [this.#queue, el('label', { class: 'inline' }, 'Priority', this.#priority)];
    const bench = [
      picker((files) => this.#picked(files)),
      this.#pictures.element,
      this.#facts,
      this.#problem,
      el('div', { class: 'bar' }, this.#run, ...(hasJobs() ? queueing : []), this.#result),
      this.#texts.element,
    ];
    this.element = el(
      'div',
      { class: 'studio' },
      el('div', { class: 'bench' }, ...bench),
      this.#form.element,
    );
    this.#write();
  }

  /** Takes a recipe over into the form. */
  load(recipe: Readonly<Record<string, unknown>>): void {
    this.#form.load(recipe);
  }

  #changed(): void {
    this.#write();
    if (this.#files.length > 0) void this.#process();
  }

  #picked(files: readonly File[]): void {
    const [first] = files;
    if (first === undefined) return;
    this.#files = files;
    this.#pictures.before(first);
    this.#run.disabled = false;
    this.#queue.disabled = false;
    this.#queue.textContent = files.length === 1 ? 'Queue it' : `Queue all ${files.length}`;
    this.#changed();
  }

  /** Brings the texts to copy up to date. */
  #write(): void {
    const recipe = this.#form.recipe();
    this.#texts.update(recipe && { file: this.#files[0], recipe });
  }

  async #process(): Promise<void> {
    const [file] = this.#files;
    const recipe = this.#form.recipe();
    if (file === undefined || recipe === undefined) return;
    // what was asked for before is of no use any more
    this.#running?.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#facts.textContent = 'Working…';
    show(this.#problem, false);
    try {
      this.#made(file, await process(file, recipe, signal));
    } catch (thrown) {
      if (signal.aborted) return;
      this.#pictures.after(undefined);
      show(this.#result, false);
      this.#facts.textContent = 'No result.';
      this.#complain(thrown);
    }
  }

  #made(file: File, made: Made): void {
    this.#pictures.after(made.picture);
    offer(this.#result, made);
    this.#facts.replaceChildren(...factsOf(file, made));
    announce(this.#facts.textContent ?? '');
  }

  async #submit(): Promise<void> {
    const recipe = this.#form.recipe();
    if (recipe === undefined) return;
    show(this.#problem, false);
    const files = this.#files;
    try {
      for (const file of files) this.#queued(await submit(file, recipe, this.#priority.value));
      announce(files.length === 1 ? 'One task queued' : `${files.length} tasks queued`);
    } catch (thrown) {
      this.#complain(thrown);
    }
  }

  #complain(thrown: unknown): void {
    const words = wordsFor(thrown);
    if (thrown instanceof Refusal) this.#form.complain(thrown.pointer, thrown.message);
    this.#problem.textContent = words;
    show(this.#problem, true);
    announce(words);
  }
}

const PRIORITIES = ['urgent', 'normal', 'batch', 'idle'];

const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 2 });

function factsOf(file: File, { picture, width, height, extension, ms }: Made): HTMLElement[] {
  const share = file.size === 0 ? 0 : picture.size / file.size;
  return [
    el('bdi', { class: 'name' }, visible(file.name)),
    el('span', {}, `${bytesText(file.size)} → ${bytesText(picture.size)} (${SHARE.format(share)})`),
    el('span', {}, `${width} × ${height} ${extension}`),
    el('span', {}, spanText(ms)),
  ];
}

/** Lets a result be saved; its address holds the bytes until the next one comes. */
function offer(link: HTMLAnchorElement, { picture, extension }: Made): void {
  if (link.href !== '') URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(picture);
  link.download = `result.${extension}`;
  show(link, true);
}
