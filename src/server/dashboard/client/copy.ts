import { announce } from './announce.js';
import { button } from './dom.js';

/** A button that copies a text, made when it is asked for; what it says is always of the last press. */
export function copyButton(text: () => string | Promise<string>): HTMLButtonElement {
  let presses = 0;
  const made = button('Copy', async () => {
    presses += 1;
    const press = presses;
    made.textContent = 'Copy';
    const copied = await copyText(await text());
    if (press !== presses) return;
    made.textContent = copied ? 'Copied' : 'Could not copy';
    announce(made.textContent);
    setTimeout(() => {
      if (press === presses) made.textContent = 'Copy';
    }, 2000);
  });
  return made;
}

/** Puts a text on the clipboard; false when the browser refuses. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The clipboard as an object is for pages over TLS and on localhost only; this old way works elsewhere too. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const place = document.createElement('textarea');
  place.className = 'unseen';
  place.value = text;
  document.body.append(place);
  place.select();
  const copied = document.execCommand('copy');
  place.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
