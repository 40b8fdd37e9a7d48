import type { Fields, Value, Values } from './contract.js';
import { type Control, controlFor } from './control.js';
import { el } from './dom.js';

/** The controls of a set of parameters. */
export interface ControlGroup {
  readonly elements: readonly HTMLElement[];
  /** What was set; undefined when a field holds what cannot be sent, which it then says itself. */
  read(): Values | undefined;
  write(values: Readonly<Record<string, unknown>>): void;
  /** Shows a complaint at the control of that name; false when there is none. */
  complain(name: string | undefined, message: string): boolean;
  focus(): void;
}

/** Parameters shown at once; the rest unfolds. */
const SHOWN = 3;

/** Makes the controls of a set of parameters. */
export function controlGroup({ properties }: Fields, changed: () => void): ControlGroup {
  const controls = Object.entries(properties).map(([name, schema]) => controlFor(name, schema, changed));
  // a single one left over is no reason to fold
  const shown = controls.length <= SHOWN + 1 ? controls.length : SHOWN;
  const grid = (some: readonly Control[]): HTMLElement =>
    el('div', { class: 'controls' }, ...some.map(({ element }) => element));
  const rest = controls.slice(shown);
  const more = el('details', {}, el('summary', {}, `${rest.length} more settings`), grid(rest));
  return {
    elements: [grid(controls.slice(0, shown)), ...(rest.length > 0 ? [more] : [])],
    read: () => valuesOf(controls),
    write(values) {
      for (const control of controls) control.write(values[control.name] as Value | undefined);
    },
    complain(name, message) {
      for (const control of controls) control.complain(control.name === name ? message : undefined);
      if (rest.some((control) => control.name === name)) more.open = true;
      return controls.some((control) => control.name === name);
    },
    focus: () => controls[0]?.focus(),
  };
}

function valuesOf(controls: readonly Control[]): Values | undefined {
  const values: Record<string, Value> = {};
  let complete = true;
  for (const control of controls) {
    try {
      const value = control.read();
      control.complain(undefined);
      if (value !== undefined) values[control.name] = value;
    } catch (thrown) {
      control.complain((thrown as Error).message);
      complete = false;
    }
  }
  return complete ? values : undefined;
}
