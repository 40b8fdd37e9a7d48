import { ask, wordsFor } from './api.js';
import type { Job, JobOutput } from './contract.js';
import { el } from './dom.js';
import { bytesText } from './text.js';

/** The picture of a task and its results; each is fetched with the token, which an address in `src` could not carry. */
export class TaskPictures {
  readonly element = el('div', { class: 'pictures' });
  readonly #urls: string[] = [];

  show({ id, source, outputs }: Job): void {
    this.clear();
    const original = source.kind === 'upload' ? [this.#picture('Original', `v1/jobs/${id}/source`)] : [];
    const results = outputs.map((output) => this.#picture(titleOf(output), output.href, output.name));
    this.element.append(...original, ...results);
  }

  clear(): void {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    this.element.replaceChildren();
  }

  #picture(title: string, path: string, saveAs?: string): HTMLElement {
    const image = el('img', { alt: title });
    const caption = el('figcaption', {}, title);
    const figure = el('figure', {}, image, caption);
    const instead = (words: string): void => image.replaceWith(el('p', { class: 'hint' }, words));
    image.addEventListener('error', () => instead('This browser cannot show this format.'));
    const load = async (): Promise<void> => {
      const blob = await (await ask(path)).blob();
      // closed, or another task by now
      if (!figure.isConnected) return;
      const url = URL.createObjectURL(blob);
      this.#urls.push(url);
      image.src = url;
      if (saveAs !== undefined) caption.append(' ', el('a', { href: url, download: saveAs }, 'Save'));
    };
    load().catch((thrown: unknown) => instead(wordsFor(thrown)));
    return figure;
  }
}

function titleOf({ width, height, bytes, type }: JobOutput): string {
  return `${width} × ${height} ${type.replace(/^image\//, '')}, ${bytesText(bytes)}`;
}
