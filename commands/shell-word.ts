/** A word as it is typed in a shell: in single quotes where it holds more than plain characters. */
export function shellWord(text: string): string {
  return /^[\w./:%@,+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
