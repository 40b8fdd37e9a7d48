import { hasUnseen } from './text.js';

/** A word as it is typed in a shell. */
export function shellWord(text: string): string {
  if (/^[\w./:%@,+=-]+$/.test(text)) return text;
  // what would be run or hidden on its way through a terminal is written as the bytes it is made of
  if (hasUnseen(text)) return `$'${octal(text)}'`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The name of a file as an argument: one that begins with a dash would be a flag, and a dash alone standard input. */
export function fileWord(name: string): string {
  return shellWord(name.startsWith('-') ? `./${name}` : name);
}

function octal(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) =>
      /[\w./ ()-]/.test(String.fromCharCode(byte)) && byte < 128
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');
}
