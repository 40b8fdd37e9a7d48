/** A size for people: `1.2 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(UNITS.length, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power - 1]}`;
}

const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** A time span for people, from milliseconds: `83 ms`, `1.2 s`, `4 min`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/**
 * Text of strangers with the characters made visible that nobody sees but that change how the rest reads: controls, and
 * overrides of the direction, by which `gpj.exe` can pass for `exe.jpg`.
 */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) => `‹${codeOf(character)}›`);
}

const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b\ufeff]/gu;

/** Whether a text holds such characters. */
export function hasUnseen(text: string): boolean {
  return visible(text) !== text;
}

/** `keepProfile` as `Keep profile`. */
export function wordsOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
