/** An element of an XML document, names written out as `{namespace}local`. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** The text directly inside, references resolved. */
  readonly text: string;
}

/** The largest document read, in UTF-16 units, and the deepest nesting: both far above any real XMP packet. */
const LARGEST = 8 * 1024 * 1024;
const DEEPEST = 64;

/**
 * The root element of an XML 1.0 document, or undefined when it is malformed, has a DOCTYPE (whose entities could
 * reach outside or grow without end), or passes a limit. One pass over the text, so time grows with its length only.
 */
export function parseXml(text: string): Element | undefined {
  if (text.length > LARGEST) return undefined;
  const top: Open = { name: '', raw: '', attributes: new Map(), children: [], text: '', scope: SCOPE };
  const stack: Open[] = [top];
  let at = 0;
  while (at < text.length) {
    const next = step(text, at, stack);
    if (next === undefined) return undefined;
    at = next;
  }
  return stack.length === 1 && top.children.length === 1 ? top.children[0] : undefined;
}

/** The prefixes an element declares, and those declared around it: a chain, so a declaration costs no copy. */
interface Scope {
  readonly own: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
}

interface Open extends Element {
  readonly raw: string;
  readonly children: Element[];
  text: string;
  readonly scope: Scope;
}

const SCOPE: Scope = { own: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]), outer: undefined };

/** Takes in the one piece of markup or text that starts at `at`, and gives where the next starts. */
function step(text: string, at: number, stack: Open[]): number | undefined {
  const open = stack.at(-1);
  if (!open) return undefined;
  if (text[at] !== '<') return takeText(text, at, open);
  if (text.startsWith('<!--', at)) return after(text, '-->', at + 4);
  if (text.startsWith('<?', at)) return after(text, '?>', at + 2);
  if (text.startsWith('<![CDATA[', at)) {
    const end = after(text, ']]>', at);
    if (end !== undefined) open.text += text.slice(at + 9, end - 3);
    return end;
  }
  if (text.startsWith('</', at)) return close(text, at, stack);
  return openElement(text, at, stack);
}

function takeText(text: string, at: number, open: Open): number | undefined {
  const found = text.indexOf('<', at);
  const end = found < 0 ? text.length : found;
  const resolved = resolve(text.slice(at, end));
  if (resolved === undefined) return undefined;
  open.text += resolved;
  return end;
}

function after(text: string, mark: string, from: number): number | undefined {
  const found = text.indexOf(mark, from);
  return found < 0 ? undefined : found + mark.length;
}

function close(text: string, at: number, stack: Open[]): number | undefined {
  const end = text.indexOf('>', at);
  if (end < 0 || stack.length === 1 || stack.pop()?.raw !== text.slice(at + 2, end).trimEnd())
    return undefined;
  return end + 1;
}

const NAME = /<([^\s<>/='"!?]+)/y;
const ATTRIBUTE = /\s+([^\s<>/='"]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const END = /\s*(\/?)>/y;

function openElement(text: string, start: number, stack: Open[]): number | undefined {
  const raw = match(NAME, text, start)?.[1];
  const parent = stack.at(-1);
  if (raw === undefined || !parent || stack.length > DEEPEST) return undefined;
  let at = start + 1 + raw.length;
  const written = new Map<string, string>();
  for (let found = match(ATTRIBUTE, text, at); found; found = match(ATTRIBUTE, text, at)) {
    const value = resolve(found[2] ?? found[3] ?? '');
    if (value === undefined) return undefined;
    written.set(found[1] ?? '', value);
    at += found[0].length;
  }
  const end = match(END, text, at);
  if (!end) return undefined;
  const element = named(raw, written, parent.scope);
  parent.children.push(element);
  if (end[1] === '') stack.push(element);
  return at + end[0].length;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function named(raw: string, written: ReadonlyMap<string, string>, outer: Scope): Open {
  const declared = [...written].flatMap(([name, value]): [string, string][] => {
    if (name === 'xmlns') return [['', value]];
    return name.startsWith('xmlns:') ? [[name.slice(6), value]] : [];
  });
  const scope = declared.length === 0 ? outer : { own: new Map(declared), outer };
  const attributes = new Map([...written].map(([name, value]) => [expanded(name, scope, ''), value]));
  return {
    name: expanded(raw, scope, declaredAs('', scope)),
    raw,
    attributes,
    children: [],
    text: '',
    scope,
  };
}

function expanded(name: string, scope: Scope, unprefixed: string): string {
  const colon = name.indexOf(':');
  const space = colon < 0 ? unprefixed : declaredAs(name.slice(0, colon), scope);
  return `{${space}}${name.slice(colon + 1)}`;
}

function declaredAs(prefix: string, scope: Scope): string {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const space = at.own.get(prefix);
    if (space !== undefined) return space;
  }
  return '';
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Text with its character references resolved and line ends as XML reads them; undefined for an unknown reference. */
function resolve(text: string): string | undefined {
  let isSound = true;
  const lines = text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text;
  if (!lines.includes('&')) return lines;
  const resolved = lines.replace(/&([^&;]{0,10});?/g, (whole, reference: string) => {
    const value = whole.endsWith(';') ? (NAMED[reference] ?? character(reference)) : undefined;
    isSound &&= value !== undefined;
    return value ?? '';
  });
  return isSound ? resolved : undefined;
}

function character(reference: string): string | undefined {
  const digits = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(reference);
  if (!digits) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return code <= 0x10ffff && isXmlText(String.fromCodePoint(code)) ? String.fromCodePoint(code) : undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML 1.0 has no way to write
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u;

/** Whether XML 1.0 can hold every character of `text`. */
export function isXmlText(text: string): boolean {
  return !UNWRITABLE.test(text);
}
