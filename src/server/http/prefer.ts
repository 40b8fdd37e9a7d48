/** What a client would like of an answer, as far as this server knows how (RFC 7240). */
export interface Preferences {
  /** Answer before the work is done. */
  readonly respondAsync: boolean;
  /** Whole seconds the client would wait for the work all the same; 0 when it said nothing that counts. */
  readonly wait: number;
}

/** Reads the `Prefer` headers of a request. They only ask: what is unknown or makes no sense is passed over. */
export function preferences(header: string | readonly string[] | undefined): Preferences {
  const asked = new Map<string, string>();
  for (const preference of split([header ?? []].flat().join(','), ',')) {
    // parameters of a preference follow behind a semicolon; none of ours has any
    const [first = ''] = split(preference, ';');
    const [name = '', ...value] = split(first, '=');
    const key = name.trim().toLowerCase();
    // of a preference that is given twice, the first counts
    if (!asked.has(key)) asked.set(key, unquoted(value.join('=').trim()));
  }
  const wait = asked.get('wait') ?? '';
  return {
    respondAsync: asked.has('respond-async'),
    wait: /^\d{1,9}$/.test(wait) ? Number(wait) : 0,
  };
}

/** The parts between separators, those inside quotes left alone. */
function split(text: string, separator: string): string[] {
  const parts = [''];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === '"') quoted = !quoted;
    if (letter === separator && !quoted) parts.push('');
    else parts.push(`${parts.pop()}${quoted && letter === '\\' ? text.slice(at, at + 2) : letter}`);
    if (quoted && letter === '\\') at += 1;
  }
  return parts;
}

function unquoted(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : value;
}
