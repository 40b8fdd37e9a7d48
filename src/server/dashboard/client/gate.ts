import { askJson, hasToken, keepToken, Refusal, wantsToken, wordsFor } from './api.js';
import type { Registry } from './contract.js';
import { el, show } from './dom.js';

/** The registry, once the server gives it: asks for the token first where one is wanted. */
export async function admitted(place: HTMLElement): Promise<Registry> {
  if (!wantsToken() || hasToken()) {
    try {
      return await askRegistry();
    } catch (thrown) {
      if (!(thrown instanceof Refusal && thrown.status === 401)) return atServersLeisure(place, thrown);
      keepToken(undefined);
    }
  }
  return new Promise((resolve) => place.append(gate(resolve)));
}

function askRegistry(): Promise<Registry> {
  return askJson<Registry>('v1/operations');
}

/** The page came from the server a moment ago: what keeps it from answering now may pass. */
async function atServersLeisure(place: HTMLElement, thrown: unknown): Promise<Registry> {
  const said = el('p', { class: 'card problem', role: 'alert' }, wordsFor(thrown));
  place.append(said);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const registry = await askRegistry().catch(() => undefined);
    if (registry === undefined) continue;
    said.remove();
    return registry;
  }
}

function gate(open: (registry: Registry) => void): HTMLElement {
  const input = el('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const form = el(
    'form',
    { class: 'card gate' },
    el('h2', {}, 'This server wants a token'),
    el('p', { class: 'hint' }, 'The one it was started with. It is kept in this tab until you close it.'),
    el('label', { for: 'token' }, 'Token'),
    input,
    el('button', { class: 'primary' }, 'Open'),
    problem,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      keepToken(input.value.trim());
      const registry = await askRegistry();
      form.remove();
      open(registry);
    } catch (thrown) {
      keepToken(undefined);
      const wrong = thrown instanceof Refusal && thrown.status === 401;
      problem.textContent = wrong ? 'That is not the token.' : wordsFor(thrown);
      show(problem, true);
      input.select();
    }
  });
  queueMicrotask(() => input.focus());
  return form;
}
