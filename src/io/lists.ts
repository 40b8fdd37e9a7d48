import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../errors.js';
import { missing } from './find.js';
import {
  contextOf,
  type FindContext,
  type FindOptions,
  type Found,
  problem,
  stopIfAborted,
} from './found.js';
import { entryKeys, look } from './literal.js';
import { Seen } from './seen.js';

/** How to take the files of a list. */
export interface ListOptions extends FindOptions {
  /** The index given to {@link Found.argument}: one that no argument has; default 0. */
  readonly argument?: number;
}

/**
 * The files that a list names, in its order, each a literal path and never a pattern, tried whatever its extension.
 *
 * A listed file inside the current folder is kept relative to that folder, any other to its own folder. A file listed
 * twice is taken once. What is missing, and a directory, is reported through `onProblem`. Throws E_CANCELLED on abort.
 */
export async function* findListed(paths: AsyncIterable<string>, options: ListOptions): AsyncGenerator<Found> {
  const context = contextOf(options);
  const seen = options.seen ?? new Seen();
  const keyOf = entryKeys();
  for await (const name of paths) {
    stopIfAborted(context.signal);
    const path = resolve(context.cwd, name);
    if (!(await isFile(path, name, context))) continue;
    if (seen.add(await keyOf(path))) yield listed(path, name, options);
  }
  stopIfAborted(context.signal);
}

async function isFile(path: string, name: string, context: FindContext): Promise<boolean> {
  const target = await look(path, name, context);
  if (target === 'missing') context.problem(missing(name));
  if (target === 'directory') {
    context.problem(problem('E_NOT_A_FILE', expected('a list of files', 'a directory'), name));
  }
  return target === 'file';
}

function listed(path: string, name: string, { cwd, argument = 0 }: ListOptions): Found {
  const fromCwd = relative(cwd, path);
  const isInside = !isAbsolute(fromCwd) && fromCwd !== '..' && !fromCwd.startsWith(`..${sep}`);
  const root = isInside ? cwd : dirname(path);
  const way = isInside ? fromCwd.replaceAll(sep, '/') : basename(path);
  return { path, name, root, argument, relative: way, explicit: true };
}

/**
 * The paths in a list of bytes: separated by NUL when there is one, else lines ending in LF or CRLF; empty ones are left out.
 *
 * A NUL decides because only such a list may hold names with line ends. It shows within the first path, so that no more than
 * the first 4 KiB wait for the decision. A UTF-8 byte order mark is dropped. Throws E_READ for a list in UTF-16, a
 * path over 128 KiB (the input is no list then) and a source that fails.
 */
export async function* readList(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let separator: number | undefined;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of reported(source)) {
    rest = Buffer.concat([rest, chunk]);
    if (separator === undefined) {
      separator = separatorOf(rest);
      if (separator !== undefined) rest = unmarked(rest);
    }
    const end = separator === undefined ? 0 : rest.lastIndexOf(separator) + 1;
    yield* paths(rest.subarray(0, end), separator ?? LF);
    rest = rest.subarray(end);
    if (rest.length > LONGEST_PATH) throw notAList('a path of at most 128 KiB', `${rest.length} bytes`);
  }
  yield* paths(separator === undefined ? unmarked(rest) : rest, separator ?? LF);
}

const NUL = 0x00;
const LF = 0x0a;

/** PATH_MAX of Linux: a NUL after the first path comes no later. Windows has longer paths, but no line ends in them. */
const FIRST_PATH = 4096;

/** Above the longest path of any system: 32,767 UTF-16 units on Windows, three bytes each. */
const LONGEST_PATH = 128 * 1024;

async function* reported(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'find' });
  }
}

/** What separates the paths, or undefined when more bytes could still change it. */
function separatorOf(bytes: Buffer): number | undefined {
  if (bytes.includes(NUL)) return NUL;
  return bytes.length >= FIRST_PATH && bytes.includes(LF) ? LF : undefined;
}

/** The list's beginning without its byte order mark. */
function unmarked(bytes: Buffer): Buffer {
  const [a, b, c] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw notAList('a list in UTF-8', 'UTF-16');
  return a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes;
}

function* paths(bytes: Buffer, separator: number): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(separator, start);
    const end = found === -1 ? bytes.length : found;
    const text = bytes.toString('utf8', start, end);
    const path = separator === LF ? text.replace(/\r$/, '') : text;
    if (path !== '') yield path;
    start = end + 1;
  }
}

function notAList(what: string, received: string): ImgtoolError {
  return new ImgtoolError('E_READ', expected(what, received), { stage: 'find' });
}
