/** What an element may be given: attributes, `true` for bare ones, nothing for false and undefined; functions listen (`onclick`). */
type Given = string | number | boolean | undefined | ((event: Event) => unknown);
type Child = Node | string | undefined | false;

/**
 * Makes an element. Texts become text nodes and attributes are set by name, so that nothing a stranger wrote is ever
 * read as markup.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  given: Readonly<Record<string, Given>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, given);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  given: Readonly<Record<string, Given>> = {},
  ...children: readonly Node[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(element, given);
  element.append(...children);
  return element;
}

/** A button that does something and sends no form. */
export function button(
  label: string,
  onclick: () => unknown,
  given: Readonly<Record<string, Given>> = {},
): HTMLButtonElement {
  return el('button', { type: 'button', onclick, ...given }, label);
}

/** A group of radio buttons; `chosen` is called with the value that was picked. */
export function radios<V extends string>(
  legend: string,
  options: readonly (readonly [V, string])[],
  first: V,
  chosen: (value: V) => unknown,
): HTMLFieldSetElement {
  const name = uniqueId('radio');
  const labels = options.map(([value, text]) => {
    const input = el('input', { type: 'radio', name, value, onchange: () => chosen(value) });
    input.checked = value === first;
    return el('label', {}, input, el('span', {}, text));
  });
  return el('fieldset', { class: 'segments' }, el('legend', { class: 'unseen' }, legend), ...labels);
}

let made = 0;

/** An id that no other element has. */
export function uniqueId(prefix: string): string {
  made += 1;
  return `${prefix}-${made}`;
}

/** Shows or hides without a style attribute, which the page's policy forbids. */
export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible;
}

function apply(element: Element, given: Readonly<Record<string, Given>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
}
