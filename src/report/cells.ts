/** Characters that take two cells of a terminal: East Asian wide and fullwidth ones (Unicode UAX #11), and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Characters that take none: marks on the one before, joiners. */
const NONE = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200d])$/u;

/** How many cells of a terminal a text takes. */
export function cells(text: string): number {
  // most names are plain ASCII, where a character is a cell
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += cellsOf(character);
  return sum;
}

/** The end of a text that fits in `width` cells, after an ellipsis where something was cut. */
export function tailWithin(text: string, width: number): string {
  if (cells(text) <= width) return text;
  const kept: string[] = [];
  let left = width - 1;
  for (const character of [...text].reverse()) {
    left -= cellsOf(character);
    if (left < 0) break;
    kept.push(character);
  }
  return `…${kept.reverse().join('')}`;
}

function cellsOf(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
