import { el, radios, show } from './dom.js';

/** Two pictures of the same thing. */
export interface Comparison {
  readonly element: HTMLElement;
  before(picture: Blob): void;
  /** The result; nothing while there is none. */
  after(picture: Blob | undefined): void;
}

type View = 'slider' | 'beside';

const VIEWS = [
  ['slider', 'Slider'],
  ['beside', 'Side by side'],
] as const;

/** Shows a picture and what became of it, one over the other with a slider, or beside each other. */
export function comparison(): Comparison {
  const before = frame('Before');
  const after = frame('After');
  const slider = el('input', {
    type: 'range',
    min: 0,
    max: 100,
    value: 50,
    'aria-label': 'How much of the result is covered by the original',
  });
  const stage = el('div', { class: 'stage' }, before.element, after.element);
  // through the object model: the page's policy forbids style attributes
  const slide = (): void => stage.style.setProperty('--at', `${slider.value}%`);
  const view = (name: View): void => {
    stage.dataset.view = name;
    show(slider, name === 'slider');
  };
  slider.addEventListener('input', slide);
  followPointer(stage, slider, slide);
  slide();
  const views = radios('Show before and after', VIEWS, 'slider', view);
  const tools = el('div', { class: 'bar' }, views, slider);
  view('slider');
  show(tools, false);
  return {
    element: el('div', { class: 'comparison' }, stage, tools),
    before(picture) {
      before.show(picture);
      after.show(undefined);
      show(tools, false);
    },
    after(picture) {
      after.show(picture);
      show(tools, picture !== undefined);
    },
  };
}

interface Frame {
  readonly element: HTMLElement;
  show(picture: Blob | undefined): void;
}

function frame(title: string): Frame {
  const image = el('img', { alt: title });
  const note = el('p', { class: 'hint' }, 'This browser cannot show this format.');
  const element = el('figure', { class: title.toLowerCase() }, image, note, el('figcaption', {}, title));
  let url: string | undefined;
  show(element, false);
  show(note, false);
  image.addEventListener('error', () => {
    show(note, true);
    show(image, false);
  });
  return {
    element,
    show(picture) {
      if (url !== undefined) URL.revokeObjectURL(url);
      url = picture && URL.createObjectURL(picture);
      show(element, url !== undefined);
      show(note, false);
      show(image, true);
      if (url !== undefined) image.src = url;
      else image.removeAttribute('src');
    },
  };
}

/** The slider under the pictures is for all; a pointer may also pull on the pictures. */
function followPointer(stage: HTMLElement, slider: HTMLInputElement, slide: () => void): void {
  const pull = (event: PointerEvent): void => {
    if (event.buttons !== 1 || stage.dataset.view !== 'slider') return;
    const { left, width } = stage.getBoundingClientRect();
    slider.value = String(((event.clientX - left) / width) * 100);
    slide();
  };
  stage.addEventListener('pointerdown', pull);
  stage.addEventListener('pointermove', pull);
}
