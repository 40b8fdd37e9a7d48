import type { RecipeData, Registry, Values } from './contract.js';
import { controlGroup } from './control-group.js';
import { el } from './dom.js';
import { StepList } from './step-list.js';

/** The form that a recipe is built with. */
export interface RecipeForm {
  readonly element: HTMLElement;
  /** The recipe as it is set; undefined while a field holds what cannot be sent. */
  recipe(): RecipeData | undefined;
  /** Sets all controls to a recipe, as far as this form has them. */
  load(recipe: Readonly<Record<string, unknown>>): void;
  /** Shows a complaint of the server at the control it names; false when none is named. */
  complain(pointer: string | undefined, message: string): boolean;
}

/** Builds the form from the registry's own description of its operations; `changed` is called after each change. */
export function recipeForm(registry: Registry, changed: () => void): RecipeForm {
  const steps = new StepList(registry.operations, changed);
  const output = controlGroup(registry.output, changed);
  const whole = controlGroup(registry.recipe, changed);
  const stay = (event: Event): void => event.preventDefault();
  const element = el(
    'form',
    { class: 'recipe', 'aria-label': 'Recipe', novalidate: true, onsubmit: stay },
    el('h3', {}, 'Steps'),
    ...steps.elements,
    el('fieldset', { class: 'step' }, el('legend', {}, 'Result'), ...output.elements),
    el('details', {}, el('summary', {}, 'Input'), ...whole.elements),
  );
  return {
    element,
    recipe() {
      // all of them are asked, so that each field says what is wrong with it
      const [other, made, run] = [whole.read(), output.read(), steps.read()];
      return other && made && run && { ...other, steps: run, outputs: [made] };
    },
    load(recipe) {
      steps.write(listed(recipe.steps));
      output.write(listed(recipe.outputs)[0] ?? {});
      whole.write(recipe);
      changed();
    },
    complain(pointer, message) {
      const [part, index = '', field] = pointer?.split('/').slice(1) ?? [];
      if (part === 'steps') return steps.complain(Number(index), field, message);
      return part === 'outputs' ? output.complain(field, message) : whole.complain(part, message);
    },
  };
}

function listed(value: unknown): Values[] {
  return Array.isArray(value) ? (value as Values[]) : [];
}
