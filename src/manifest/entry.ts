/** What is known of a source's bytes: enough to tell at a glance, or by hash, whether they changed. */
export interface SourceIdentity {
  /** Relative to the manifest's folder with `/` separators, or a URL, or `-` for standard input. */
  readonly name: string;
  /** Bytes; absent when only reading tells, as for a URL. */
  readonly size?: number;
  /** `stat`'s mtimeMs with its fraction, an exact function of the nanoseconds; absent for a URL or `-`. */
  readonly mtimeMs?: number;
  /** As `hashFile` gives it; absent when nobody asked. */
  readonly hash?: string;
}

/** What is known of an output's bytes. */
export interface OutputIdentity {
  /** Bytes. */
  readonly size: number;
  /** `stat`'s mtimeMs with its fraction. */
  readonly mtimeMs: number;
  /** As `hashFile` gives it; absent when nobody asked. */
  readonly hash?: string;
}

/** One output and what it was made from; without `made` it is a claim: about to be written, perhaps half done. */
export interface Entry {
  /** Relative to the manifest's folder, `/` separators, never leaving it. */
  readonly output: string;
  readonly source: SourceIdentity;
  /** Digest of recipe, encoder options and versions (see `versionKey`); opaque here. */
  readonly key: string;
  readonly made?: OutputIdentity;
  /** Milliseconds since 1970 just before the source was stat'ed: a source as young as this may change unseen. */
  readonly checkedAt: number;
  readonly notes?: readonly string[];
}

/** What one line of the log says. */
export type Line =
  | { readonly kind: 'header'; readonly version: number }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'removed'; readonly output: string };

/** The version of the log this build reads and writes. */
export const VERSION = 1;

/** The first line of every log. */
export const HEADER = JSON.stringify({ 'imgtool-manifest': VERSION });

/** A line of the log as data, or undefined when it is torn, damaged or somebody else's. */
export function parseLine(text: string): Line | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const version = value['imgtool-manifest'];
  if (typeof version === 'number') return { kind: 'header', version };
  if (value.removed === true) {
    return isOutputName(value.output) ? { kind: 'removed', output: value.output } : undefined;
  }
  return isEntry(value) ? { kind: 'entry', entry: value } : undefined;
}

/** An entry as a line of the log, without its newline. */
export function entryLine({ output, source, key, made, checkedAt, notes }: Entry): string {
  return JSON.stringify({ output, source, key, made, checkedAt, notes });
}

/** The line that takes an output back, without its newline. */
export function removedLine(output: string): string {
  return JSON.stringify({ output, removed: true });
}

/** Whether a value of unknown origin is an entry that can be trusted as far as its form goes. */
export function isEntry(value: unknown): value is Entry {
  return (
    isObject(value) &&
    isOutputName(value.output) &&
    isSource(value.source) &&
    typeof value.key === 'string' &&
    (value.made === undefined || isMade(value.made)) &&
    isNumber(value.checkedAt) &&
    (value.notes === undefined ||
      (Array.isArray(value.notes) && value.notes.every((note) => typeof note === 'string')))
  );
}

/** Whether a name stays in the folder: a planted manifest must not make `--prune` remove files elsewhere. */
export function isOutputName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    !EMPTY_OR_DOTS.test(name) &&
    !name.includes('\0') &&
    !(WINDOWS && /[\\:]/.test(name))
  );
}

const EMPTY_OR_DOTS = /(?:^|\/)\.{0,2}(?:\/|$)/;
const WINDOWS = process.platform === 'win32';

function isSource(value: unknown): value is SourceIdentity {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    (value.size === undefined || isNumber(value.size)) &&
    (value.mtimeMs === undefined || isNumber(value.mtimeMs)) &&
    isHash(value.hash)
  );
}

function isMade(value: unknown): value is OutputIdentity {
  return isObject(value) && isNumber(value.size) && isNumber(value.mtimeMs) && isHash(value.hash);
}

function isHash(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
