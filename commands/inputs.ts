import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expected, ImgtoolError } from '../src/errors.js';
import { type FindOptions, find } from '../src/io/find.js';
import { findListed, readList } from '../src/io/lists.js';
import { Seen } from '../src/io/seen.js';
import { bytesSource, fileSource, type Source } from '../src/io/source.js';
import type { BatchFlags } from './batch-command.js';

/** Who is told of inputs that cannot be taken. */
export interface FindListener {
  problem(error: ImgtoolError): Promise<void> | void;
  unreadable(type: string): void;
}

/** Where a run's inputs come from. */
export interface InputPlan {
  /** Looks for the inputs from the start; each call finds the same. */
  find(signal: AbortSignal): AsyncIterable<Source>;
  listen(listener: FindListener): void;
  /** Argument index to path, of the arguments that are directories. */
  readonly directories: ReadonlyMap<number, string>;
  /** Whether all inputs come from one root. */
  readonly oneRoot: boolean;
  /** The directories and files named, absolute. */
  readonly roots: readonly string[];
}

/** Settles where inputs come from; standard input is read whole, since it is there only once. */
export async function planInputs(
  args: readonly string[],
  flags: BatchFlags,
  out: string | undefined,
): Promise<InputPlan> {
  const paths = args.filter((arg) => arg !== '-');
  const lists = flags['files-from'] ?? [];
  if (args.length === 0 && lists.length === 0)
    throw new ImgtoolError('E_USAGE', expected('files, directories, globs or -', 'none'), {
      field: 'inputs',
    });
  if (args.filter((arg) => arg === '-').length + lists.filter((list) => list === '-').length > 1) {
    throw new ImgtoolError('E_USAGE', expected('- once', '- several times'), { field: 'inputs' });
  }
  const kinds = await Promise.all(
    paths.map(async (path) => ({ path: resolve(path), directory: await isDirectory(path) })),
  );
  const stdin = args.includes('-') ? await readStandardInput() : undefined;
  const listed = await Promise.all(lists.map(readNames));
  let listener: FindListener | undefined;
  return {
    directories: new Map(
      kinds.flatMap(({ path, directory }, index) => (directory ? [[index, path] as const] : [])),
    ),
    oneRoot: args.length + lists.length === 1,
    roots: kinds.map(({ path }) => path),
    listen: (given) => {
      listener = given;
    },
    find: (signal) =>
      all(
        { paths, listed: listed.flat(), hasLists: lists.length > 0, stdin },
        optionsFor(flags, out, signal, () => listener),
      ),
  };
}

interface Named {
  readonly paths: readonly string[];
  readonly listed: readonly string[];
  readonly hasLists: boolean;
  readonly stdin: Uint8Array | undefined;
}

async function* all(
  { paths, listed, hasLists, stdin }: Named,
  { told, ...options }: FindOptions & { told: Promise<void>[] },
): AsyncGenerator<Source> {
  const seen = hasLists || paths.length > 1 ? { seen: new Seen() } : {};
  for await (const found of find(paths, { ...options, ...seen })) yield fileSource(found);
  if (hasLists) {
    const argument = paths.length;
    for await (const found of findListed(names(listed), { ...options, ...seen, argument }))
      yield fileSource(found);
  }
  if (stdin !== undefined) yield bytesSource(stdin, paths.length + 1);
  await Promise.all(told);
}

async function* names(list: readonly string[]): AsyncGenerator<string> {
  yield* list;
}

/** The listener hears of a problem once, though names may be gathered in a search of their own before. */
function optionsFor(
  flags: BatchFlags,
  out: string | undefined,
  signal: AbortSignal,
  listener: () => FindListener | undefined,
): FindOptions & { told: Promise<void>[] } {
  const told: Promise<void>[] = [];
  return {
    cwd: process.cwd(),
    recursive: flags.recursive !== false,
    exclude: excluding(out),
    onProblem: (error) => void told.push(Promise.resolve(listener()?.problem(error))),
    onUnreadable: (type) => listener()?.unreadable(type),
    told,
    ...(signal.aborted && { signal }),
  };
}

/** Keeps a search out of the output folder, which may not be there yet when the search begins. */
function excluding(out: string | undefined): (directory: string) => boolean {
  if (out === undefined) return () => false;
  let real = out;
  void resolved(out).then((path) => {
    real = path;
  });
  return (directory) => directory === real || directory === out;
}

async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : (await resolved(parent)) + sep + path.slice(parent.length + 1);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function readStandardInput(): Promise<Uint8Array> {
  return buffer(process.stdin);
}

async function readNames(list: string): Promise<string[]> {
  const source = list === '-' ? process.stdin : createReadStream(list);
  const found: string[] = [];
  try {
    for await (const name of readList(source)) found.push(name);
  } catch (thrown) {
    if (thrown instanceof ImgtoolError) throw thrown;
    throw new ImgtoolError('E_USAGE', expected('a readable list of files', list), {
      stage: 'find',
      field: 'files-from',
      cause: thrown,
    });
  }
  return found;
}
