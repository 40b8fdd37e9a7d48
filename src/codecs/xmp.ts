import { type Element, parseXml } from './xml.js';

/** A text in one language; `x-default` stands for whichever language is asked for. */
export interface Alternative {
  /** A language tag (RFC 3066), as written in the packet. */
  readonly language: string;
  readonly text: string;
}

/** What an XMP packet says of rights: `dc:rights` in its languages, `dc:creator` in its order. */
export interface XmpRights {
  readonly rights: readonly Alternative[];
  readonly creators: readonly string[];
}

const DC = 'http://purl.org/dc/elements/1.1/';
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const LANGUAGE = '{http://www.w3.org/XML/1998/namespace}lang';
const UNSTATED = 'x-default';

/** The rights in a UTF-8 packet, or undefined when it is malformed or states none. */
export function readXmpRights(xmp: Uint8Array): XmpRights | undefined {
  const root = parsed(xmp);
  if (!root) return undefined;
  const descriptions = described(root);
  const rights = values(descriptions, `{${DC}}rights`);
  const creators = values(descriptions, `{${DC}}creator`).map(({ text }) => text);
  return rights.length + creators.length > 0 ? { rights, creators } : undefined;
}

/** A packet stating these rights and nothing else. The texts have to be ones XML can hold. */
export function xmpBytes({ rights, creators }: XmpRights): Uint8Array {
  const alternatives = rights.map(
    ({ language, text }) => `<rdf:li xml:lang="${escaped(language)}">${escaped(text)}</rdf:li>`,
  );
  const names = creators.map((name) => `<rdf:li>${escaped(name)}</rdf:li>`);
  const properties = [
    names.length > 0 ? `<dc:creator><rdf:Seq>${names.join('')}</rdf:Seq></dc:creator>` : '',
    alternatives.length > 0 ? `<dc:rights><rdf:Alt>${alternatives.join('')}</rdf:Alt></dc:rights>` : '',
  ];
  // The identifier is the constant by which scanners find a packet; the mark before it tells UTF-8.
  const packet =
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    `<rdf:RDF xmlns:rdf="${RDF}"><rdf:Description rdf:about="" xmlns:dc="${DC}">${properties.join('')}` +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>';
  return Buffer.from(packet, 'utf8');
}

function parsed(xmp: Uint8Array): Element | undefined {
  // Some writers end the packet as a C string.
  const last = xmp.findLastIndex((byte) => byte !== 0);
  try {
    return parseXml(new TextDecoder('utf-8', { fatal: true }).decode(xmp.subarray(0, last + 1)));
  } catch {
    return undefined;
  }
}

function described(element: Element): Element[] {
  if (element.name === `{${RDF}}Description`) return [element];
  const holds = element.name === `{${RDF}}RDF` || element.name === '{adobe:ns:meta/}xmpmeta';
  return holds ? element.children.flatMap(described) : [];
}

/** A property may be an attribute, plain text, or a list of items; its empty values say nothing. */
function values(descriptions: readonly Element[], property: string): Alternative[] {
  const found = descriptions.flatMap((description) => [
    { language: UNSTATED, text: description.attributes.get(property) ?? '' },
    ...description.children.filter(({ name }) => name === property).flatMap(texts),
  ]);
  return found.filter(({ text }) => text.trim() !== '');
}

function texts(property: Element): Alternative[] {
  if (property.children.length === 0) return [alternative(property)];
  const items = property.children.flatMap(({ children }) => children);
  return items.filter(({ name }) => name === `{${RDF}}li`).map(alternative);
}

function alternative({ attributes, text }: Element): Alternative {
  return { language: attributes.get(LANGUAGE) ?? UNSTATED, text };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Written bare, a reader would turn it into a line feed.
  '\r': '&#xD;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}
