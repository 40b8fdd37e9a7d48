import { basename, dirname, resolve } from 'node:path';
import { expected, type ImgtoolError } from '../errors.js';
import {
  contextOf,
  type FindContext,
  type FindOptions,
  type Found,
  problem,
  stopIfAborted,
} from './found.js';
import { entryKeys, look } from './literal.js';
import { expand, isPattern } from './patterns.js';
import { Seen } from './seen.js';
import { isMangled, unreadable } from './unreadable.js';
import { walk } from './walk.js';

export type { FindOptions, Found } from './found.js';

/**
 * Finds the input files that the arguments name, in the arguments' order, as they are met.
 *
 * An argument that exists is literal, even when it looks like a pattern: a file is taken whatever its extension, a
 * directory gives the files of known extension in it (see {@link walk}). One that does not exist and has pattern characters
 * is expanded by us (see {@link expand}). What matches nothing or cannot be read is reported through `onProblem`.
 * Within a directory files are sorted by code units and come before those of its folders; a directory of more than 10,000
 * entries comes in directory order instead, so that it starts at once and memory stays flat.
 * With several arguments a file is taken once, under the first one that reaches it; two links to one file are two files.
 * Throws E_CANCELLED when the signal is aborted.
 */
export async function* find(args: readonly string[], options: FindOptions): AsyncGenerator<Found> {
  const context = contextOf(options);
  const seen = options.seen ?? (args.length > 1 ? new Seen() : undefined);
  const keyOf = entryKeys();
  for (const [argument, text] of args.entries()) {
    for await (const found of findOne(text, argument, context)) {
      stopIfAborted(context.signal);
      if (seen === undefined || seen.add(await keyOf(found.path))) yield found;
    }
  }
  stopIfAborted(context.signal);
}

async function* findOne(text: string, argument: number, context: FindContext): AsyncGenerator<Found> {
  stopIfAborted(context.signal);
  // an empty argument is a forgotten variable, never the current folder
  if (text === '') return context.problem(missing(text));
  const path = resolve(context.cwd, text);
  const target = await look(path, text, context);
  if (target === 'file') yield named(path, text, argument);
  if (target === 'directory') yield* findIn({ path, name: text }, argument, context);
  if (target === 'missing') yield* findMatches(text, argument, context);
}

function named(path: string, name: string, argument: number): Found {
  return { path, name, root: dirname(path), argument, relative: basename(path), explicit: true };
}

async function* findIn(
  directory: { readonly path: string; readonly name: string },
  argument: number,
  context: FindContext,
): AsyncGenerator<Found> {
  for await (const { path, name, relative } of walk(directory, context)) {
    yield { path, name, root: directory.path, argument, relative, explicit: false };
  }
}

async function* findMatches(text: string, argument: number, context: FindContext): AsyncGenerator<Found> {
  if (!isPattern(text, context.platform)) {
    context.problem(missing(text));
    return;
  }
  for await (const match of expand(text, context)) yield { ...match, argument, explicit: false };
}

/** The error for a literal path that leads to nothing. */
export function missing(name: string): ImgtoolError {
  if (isMangled(name)) return unreadable(undefined, name);
  return problem('E_NOT_FOUND', expected('an existing file, directory or pattern', name || '""'), name);
}
