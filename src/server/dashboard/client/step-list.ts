import { announce } from './announce.js';
import type { OperationFacts, Values } from './contract.js';
import { type ControlGroup, controlGroup } from './control-group.js';
import { button, el } from './dom.js';
import { wordsOf } from './text.js';

/** A step as data. */
export type StepData = Values & { readonly op: string };

interface Card {
  readonly operation: OperationFacts;
  readonly element: HTMLElement;
  readonly legend: HTMLElement;
  readonly group: ControlGroup;
}

/** The steps of a recipe in their order, each with its controls, and the buttons that add one. */
export class StepList {
  readonly #operations: readonly OperationFacts[];
  readonly #changed: () => void;
  readonly #cards: Card[] = [];
  readonly #list = el('ol', { class: 'steps' });
  readonly #empty = el('p', { class: 'hint' }, 'No steps: the picture is only converted.');
  readonly #adders: HTMLElement;

  constructor(operations: readonly OperationFacts[], changed: () => void) {
    this.#operations = operations;
    this.#changed = changed;
    const adders = operations.map((operation) =>
      button(wordsOf(operation.name), () => this.#addByHand(operation), {
        class: 'chip',
        title: operation.summary,
      }),
    );
    this.#adders = el('div', { class: 'adders', role: 'group', 'aria-label': 'Add a step' }, ...adders);
    this.#arrange();
  }

  get elements(): readonly HTMLElement[] {
    return [this.#list, this.#empty, this.#adders];
  }

  /** The steps as they are set; undefined while a field holds what cannot be sent. */
  read(): readonly StepData[] | undefined {
    const steps = this.#cards.map(({ operation, group }) => {
      const values = group.read();
      return values && { op: operation.name, ...values };
    });
    return steps.every((step) => step !== undefined) ? steps : undefined;
  }

  /** Puts steps in the place of those that are there, as far as their operations are known. */
  write(steps: readonly Values[]): void {
    this.#cards.splice(0);
    for (const { op, ...values } of steps) {
      const operation = this.#operations.find(({ name }) => name === op);
      if (operation !== undefined) this.#add(operation, values);
    }
    this.#arrange();
  }

  /** Shows a complaint at a parameter of a step; false when there is no such thing. */
  complain(index: number, name: string | undefined, message: string): boolean {
    return this.#cards[index]?.group.complain(name, message) ?? false;
  }

  #addByHand(operation: OperationFacts): void {
    // the values of an example, since an operation that needs one would be refused without
    this.#add(operation, operation.examples[0] ?? {}).group.focus();
    this.#changed();
  }

  #add(operation: OperationFacts, values: Readonly<Record<string, unknown>>): Card {
    const group = controlGroup(operation.params, this.#changed);
    const legend = el('legend');
    const about = el('p', { class: 'hint' }, operation.summary);
    const tools = el('div', { class: 'tools' });
    const step = el('fieldset', { class: 'step' }, legend, tools, about, ...group.elements);
    const card: Card = { operation, group, legend, element: el('li', {}, step) };
    tools.append(...this.#toolsOf(card));
    group.write(values);
    this.#cards.push(card);
    this.#arrange();
    return card;
  }

  #toolsOf(card: Card): HTMLElement[] {
    const name = wordsOf(card.operation.name).toLowerCase();
    const tool = (sign: string, title: string, label: string, act: () => void) =>
      button(sign, act, { title, 'aria-label': label });
    return [
      tool('↑', 'Move up', `Move ${name} up`, () => this.#move(card, -1)),
      tool('↓', 'Move down', `Move ${name} down`, () => this.#move(card, 1)),
      tool('×', 'Remove', `Remove ${name}`, () => this.#remove(card)),
    ];
  }

  #move(card: Card, by: number): void {
    const focused = document.activeElement;
    const to = Math.max(0, Math.min(this.#cards.length - 1, this.#cards.indexOf(card) + by));
    this.#cards.splice(to, 0, ...this.#cards.splice(this.#cards.indexOf(card), 1));
    this.#arrange();
    // an element that is put elsewhere loses the focus
    if (focused instanceof HTMLElement) focused.focus();
    announce(`${wordsOf(card.operation.name)} is step ${to + 1} of ${this.#cards.length}`);
    this.#changed();
  }

  #remove(card: Card): void {
    const at = this.#cards.indexOf(card);
    this.#cards.splice(at, 1);
    this.#arrange();
    // the focus was on what is gone
    const next = this.#cards[Math.min(at, this.#cards.length - 1)]?.element ?? this.#adders;
    next.querySelector<HTMLElement>('button, input')?.focus();
    announce(`${wordsOf(card.operation.name)} removed`);
    this.#changed();
  }

  #arrange(): void {
    this.#list.replaceChildren(...this.#cards.map(({ element }) => element));
    for (const [index, { legend, operation }] of this.#cards.entries())
      legend.textContent = `${index + 1}. ${wordsOf(operation.name)}`;
    this.#empty.hidden = this.#cards.length > 0;
  }
}
