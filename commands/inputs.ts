import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expected, ImgtoolError } from '../src/errors.js';
import { type FindOptions, find } from '../src/io/find.js';
import { findListed, readList } from '../src/io/lists.js';
import { realWay } from '../src/io/real.js';
import { isUrl, urlSource } from '../src/io/remote.js';
import { Seen } from '../src/io/seen.js';
import { bytesSource, fileSource, type Source } from '../src/io/source.js';
import type { BatchFlags } from './batch-command.js';

/** The folder that holds a folder of results for each recipe, unless `--out` says otherwise. */
export const DEFAULT_OUT = 'imgtool-out';

/** Who is told of inputs that cannot be taken. */
export interface FindListener {
  problem(error: ImgtoolError): Promise<void> | void;
  unreadable(type: string): void;
}

/** Where a run's inputs come from. */
export interface InputPlan {
  /** Looks for the inputs from the start; each call finds the same. An abort ends the search without an error. */
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
  const urls = args.filter(isUrl);
  const paths = args.filter((arg) => arg !== '-' && !isUrl(arg));
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
  const exclude = await excluding(out);
  const telling = tellingOnce();
  return {
    directories: new Map(
      kinds.flatMap(({ path, directory }, index) => (directory ? [[index, path] as const] : [])),
    ),
    // the files of one list may lie in several folders
    oneRoot: args.length === 1 && lists.length === 0,
    roots: kinds.map(({ path }) => path),
    listen: telling.listen,
    find: (signal) =>
      all(
        { paths, listed: listed.flat(), hasLists: lists.length > 0, stdin, urls },
        { cwd: process.cwd(), recursive: flags.recursive !== false, exclude, signal },
        telling.search(),
      ),
  };
}

interface Named {
  readonly paths: readonly string[];
  readonly listed: readonly string[];
  readonly hasLists: boolean;
  readonly stdin: Uint8Array | undefined;
  readonly urls: readonly string[];
}

async function* all(named: Named, options: FindOptions, told: Told): AsyncGenerator<Source> {
  try {
    yield* searched(named, { ...options, ...told });
  } catch (thrown) {
    if (options.signal?.aborted !== true) throw thrown;
  }
  await told.heard();
}

async function* searched(
  { paths, listed, hasLists, stdin, urls }: Named,
  options: FindOptions,
): AsyncGenerator<Source> {
  const seen = hasLists || paths.length > 1 ? { seen: new Seen() } : {};
  for await (const found of find(paths, { ...options, ...seen })) yield fileSource(found);
  if (hasLists) {
    const argument = paths.length;
    for await (const found of findListed(names(listed), { ...options, ...seen, argument }))
      yield fileSource(found);
  }
  if (stdin !== undefined) yield bytesSource(stdin, paths.length + 1);
  for (const [index, url] of urls.entries()) yield urlSource(url, paths.length + 2 + index);
}

async function* names(list: readonly string[]): AsyncGenerator<string> {
  yield* list;
}

/** What one search tells the listener. */
interface Told extends Pick<FindOptions, 'onProblem' | 'onUnreadable'> {
  /** Resolves when the listener is done with all it was told. */
  heard(): Promise<void>;
}

/** The listener hears of everything once, though names may be gathered in a search of their own before. */
function tellingOnce(): { listen(given: FindListener): void; search(): Told } {
  let listener: FindListener | undefined;
  let searches = 0;
  const problems = new Seen();
  return {
    listen: (given) => {
      listener = given;
    },
    search() {
      searches += 1;
      const isFirst = searches === 1;
      const hearing: Promise<void>[] = [];
      return {
        onProblem: (error) => {
          if (problems.add(`${error.code} ${error.file}`))
            hearing.push(Promise.resolve(listener?.problem(error)));
        },
        onUnreadable: (type) => {
          if (isFirst) listener?.unreadable(type);
        },
        heard: async () => void (await Promise.all(hearing)),
      };
    },
  };
}

/** Keeps a search out of the output folder, which may not be there yet when it begins, and out of the default one. */
async function excluding(out: string | undefined): Promise<(directory: string) => boolean> {
  const folders = new Set(
    await Promise.all([out ?? DEFAULT_OUT, DEFAULT_OUT].map((path) => realWay(resolve(path)))),
  );
  return (directory) => folders.has(directory);
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
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ImgtoolError('E_USAGE', `expected a readable list of files in ${list}: ${reason}`, {
      stage: 'find',
      field: 'files-from',
      cause: thrown,
    });
  }
  return found;
}
