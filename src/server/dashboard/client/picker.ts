import { el, uniqueId } from './dom.js';

/** The place where pictures are dropped, pasted (anywhere on the page) or chosen; `picked` gets one or more files. */
export function picker(picked: (files: readonly File[]) => void): HTMLElement {
  const id = uniqueId('file');
  const input = el('input', {
    type: 'file',
    id,
    multiple: true,
    class: 'unseen',
    accept: 'image/*,.tif,.tiff,.avif',
  });
  const take = (files: FileList | null | undefined): void => {
    if (files !== null && files !== undefined && files.length > 0) picked([...files]);
  };
  input.addEventListener('change', () => {
    take(input.files);
    // the same file may be chosen again after it was edited
    input.value = '';
  });
  const place = el(
    'div',
    { class: 'drop' },
    input,
    el(
      'label',
      { for: id },
      el('strong', {}, 'Choose a picture'),
      el('span', {}, 'or drop it anywhere, or paste it'),
    ),
  );
  listenToPage(place, take);
  return place;
}

function listenToPage(place: HTMLElement, take: (files: FileList | null | undefined) => void): void {
  const hovers = (over: boolean): void => void place.classList.toggle('over', over);
  addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    hovers(true);
  });
  addEventListener('dragleave', (event) => hovers(event.relatedTarget !== null));
  addEventListener('drop', (event) => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    hovers(false);
    take(event.dataTransfer.files);
  });
  addEventListener('paste', (event) => take(event.clipboardData?.files));
}
