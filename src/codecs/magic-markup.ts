/**
 * `svg` when the first element is one, else what the text is (`html`, `xml`, `text`), or undefined for bytes that are no text.
 *
 * Takes UTF-8 and UTF-16 with or without a byte order mark, an XML prolog, comments and a doctype before the element.
 */
export function sniffMarkup(head: Uint8Array): 'svg' | 'html' | 'xml' | 'text' | undefined {
  const text = decode(head);
  if (text === undefined || text.length === 0) return undefined;
  const { name, sawXml } = firstElement(text);
  if (name === 'svg' || name.endsWith(':svg')) return 'svg';
  if (HTML_ROOTS.has(name.toLowerCase())) return 'html';
  return sawXml ? 'xml' : 'text';
}

const HTML_ROOTS: ReadonlySet<string> = new Set(['html', 'head', 'body']);

/** The bytes as text, or undefined when they hold what text does not. */
function decode(head: Uint8Array): string | undefined {
  try {
    // stream: the bytes may end inside a character, which is no fault of theirs
    const text = new TextDecoder(encodingOf(head), { fatal: true }).decode(head, { stream: true });
    return hasControls(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function encodingOf(head: Uint8Array): string {
  const [a, b] = head;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return 'utf-16be';
  return 'utf-8';
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && !(code >= 0x09 && code <= 0x0d) && code !== 0x1b) return true;
  }
  return false;
}

/** The root element's name ('' when there is none), looked for behind prolog, comments and doctype; linear in the text. */
function firstElement(text: string): { name: string; sawXml: boolean } {
  let sawXml = false;
  let doctype = '';
  let at = skipSpace(text, 0);
  while (text[at] === '<' && (text[at + 1] === '?' || text[at + 1] === '!')) {
    sawXml = true;
    if (/^<!doctype/i.test(text.slice(at, at + 9))) doctype = nameAt(text, skipSpace(text, at + 9));
    const end = endOfPreamble(text, at);
    // cut inside a long doctype: the name it declares is the root's
    if (end === -1) return { name: doctype, sawXml };
    at = skipSpace(text, end);
  }
  if (text[at] !== '<') return { name: doctype, sawXml };
  const name = nameAt(text, at + 1);
  return { name, sawXml: sawXml || name !== '' };
}

/** Where a `<?...?>`, `<!--...-->` or `<!DOCTYPE ...>` that starts at `at` is over, or -1. */
function endOfPreamble(text: string, at: number): number {
  if (text.startsWith('<?', at)) return after(text, '?>', at);
  if (text.startsWith('<!--', at)) return after(text, '-->', at + 4);
  const close = text.indexOf('>', at);
  const subset = text.indexOf('[', at);
  if (subset === -1 || subset > close) return close === -1 ? -1 : close + 1;
  const subsetEnd = text.indexOf(']', subset);
  return subsetEnd === -1 ? -1 : after(text, '>', subsetEnd);
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? -1 : found + mark.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text.charCodeAt(at) <= 0x20 || text[at] === '\ufeff')) at++;
  return at;
}

function nameAt(text: string, from: number): string {
  return /^[A-Za-z_][\w.:-]{0,63}/.exec(text.slice(from, from + 64))?.[0] ?? '';
}
