import type { FieldSchema, Value } from './contract.js';
import { el, uniqueId } from './dom.js';
import { wordsOf } from './text.js';

/** A control for one parameter. */
export interface Control {
  readonly name: string;
  readonly element: HTMLElement;
  /** What was set; undefined while it stands at its default. Throws what the browser says of a text that is no number. */
  read(): Value | undefined;
  write(value: Value | undefined): void;
  /** Shows what is wrong with it, or that nothing is. */
  complain(message: string | undefined): void;
  focus(): void;
}

/** Makes the control that fits a parameter's schema: choices a list, booleans a box, numbers and texts a field. */
export function controlFor(name: string, schema: FieldSchema, changed: () => void): Control {
  const id = uniqueId(name);
  const input = inputFor(schema, { id, 'aria-describedby': `${id}-hint ${id}-error`, onchange: changed });
  const error = el('p', { id: `${id}-error`, class: 'complaint' });
  const label = el('label', { for: id }, wordsOf(name));
  const hint = el('p', { id: `${id}-hint`, class: 'hint' }, schema.description);
  const isBox = input.type === 'checkbox';
  const element = el('div', { class: isBox ? 'control box' : 'control' });
  element.append(...(isBox ? [input, label] : [label, input, ...suggestions(schema, input)]), hint, error);
  const write = (value: Value | undefined): void => {
    if (isCheckbox(input)) input.checked = value === true;
    else input.value = value === undefined ? '' : String(value);
  };
  write(schema.default);
  return {
    name,
    element,
    read: () => valueIn(input, schema),
    write: (value) => write(value ?? schema.default),
    complain(message) {
      error.textContent = message ?? '';
      if (message === undefined) input.removeAttribute('aria-invalid');
      else input.setAttribute('aria-invalid', 'true');
    },
    focus: () => input.focus(),
  };
}

type Input = HTMLInputElement | HTMLSelectElement;

function inputFor(schema: FieldSchema, given: Parameters<typeof el>[1]): Input {
  const choices = choicesOf(schema);
  if (choices !== undefined) {
    const none = schema.default === undefined ? [el('option', { value: '' }, 'not set')] : [];
    return el('select', given, ...none, ...choices.map((value) => el('option', {}, String(value))));
  }
  if (schema.type === 'boolean') return el('input', { ...given, type: 'checkbox' });
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum, maximum } = schema;
    const step = schema.type === 'integer' ? 1 : 'any';
    return el('input', { ...given, type: 'number', min: minimum, max: maximum, step });
  }
  return el('input', { ...given, type: 'text', autocomplete: 'off', spellcheck: 'false' });
}

/** The values of a parameter that takes nothing else. */
function choicesOf({ enum: values, const: only, anyOf }: FieldSchema): readonly Value[] | undefined {
  if (values !== undefined) return values;
  if (only !== undefined) return [only];
  const members = anyOf?.map(choicesOf);
  return members?.every((choices) => choices !== undefined) ? members.flat() : undefined;
}

/** Values that a field knows by name beside what else it takes. */
function suggestions({ anyOf = [] }: FieldSchema, input: Input): HTMLElement[] {
  const known = anyOf.flatMap((member) => choicesOf(member) ?? []);
  if (known.length === 0 || input instanceof HTMLSelectElement) return [];
  const list = uniqueId('list');
  input.setAttribute('list', list);
  return [el('datalist', { id: list }, ...known.map((value) => el('option', { value: String(value) })))];
}

function valueIn(input: Input, schema: FieldSchema): Value | undefined {
  if (isCheckbox(input)) return input.checked === (schema.default ?? false) ? undefined : input.checked;
  if (input.validity.badInput) throw new Error(input.validationMessage);
  const text = input.value.trim();
  if (text === '') return undefined;
  const value = choicesOf(schema)?.find((choice) => String(choice) === text) ?? typed(text, schema);
  return value === schema.default ? undefined : value;
}

/** A number where the schema has a place for one and the text is one. */
function typed(text: string, { type, anyOf = [] }: FieldSchema): Value {
  const types = [type, ...anyOf.map((member) => member.type)];
  const isNumber = types.includes('integer') || types.includes('number');
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : text;
}

function isCheckbox(input: Input): input is HTMLInputElement {
  return input.type === 'checkbox';
}
