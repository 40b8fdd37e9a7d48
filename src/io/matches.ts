import { type Dirent, readdir as readdirOf } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import type { ImgtoolError } from '../errors.js';
import type { FindContext } from './found.js';
import { type Kind, kindOf } from './kind.js';
import { byName, SORTED_UP_TO } from './listing.js';
import { isAbsent, isMangled, unreadable } from './unreadable.js';
import { isOwnOutput } from './walk.js';

/** A file or directory that a pattern matched, relative to where the pattern starts. */
export interface RawMatch {
  readonly relative: string;
  readonly kind: Exclude<Kind, 'other'>;
}

/**
 * What a pattern matches under `root` (called `prefix` by the user), in a fixed order: directories above before those below.
 * Unlike a walk this holds a directory's whole listing in memory: 831 MB for one of a million files.
 */
export async function* matches(
  root: string,
  prefix: string,
  pattern: string,
  context: FindContext,
): AsyncGenerator<RawMatch> {
  const problems: ImgtoolError[] = [];
  const list = listOf(root, prefix, context, problems);
  for await (const entry of fastGlob.stream(pattern, {
    ...optionsOf(pattern, context),
    cwd: root,
    fs: { readdir: adapt(list) },
  })) {
    for (const found of problems.splice(0)) context.problem(found);
    if (!isEntry(entry)) continue;
    const place = { path: join(root, entry.path), name: join(prefix, entry.path) };
    const kind = await kindOf(entry.dirent, place, context);
    if (kind !== 'other') yield { relative: entry.path, kind };
  }
  for (const found of problems) context.problem(found);
}

function optionsOf(pattern: string, context: FindContext): fastGlob.Options {
  return {
    dot: context.hidden ?? false,
    objectMode: true,
    // files behind a link are wanted too, and only a look at the link tells
    onlyFiles: false,
    // two links that loop would hang it
    followSymbolicLinks: false,
    // the listing reports them, and the rest goes on
    suppressErrors: true,
    // more would make the order a matter of luck
    concurrency: 1,
    // only braces can name a file twice, and the check holds every path in memory
    unique: pattern.includes('{'),
    caseSensitiveMatch: context.platform !== 'win32' && context.platform !== 'darwin',
  };
}

type List = (directory: string) => Promise<Dirent[]>;

/** Lists a directory in order; nothing for our own outputs, those that cannot be read and after an abort. */
function listOf(root: string, prefix: string, context: FindContext, problems: ImgtoolError[]): List {
  return async (directory) => {
    try {
      if (context.signal?.aborted) return [];
      if (directory !== root && (await isOwnOutput(await realpath(directory), context))) return [];
      const entries = await readdir(directory, { withFileTypes: true });
      return entries.length <= SORTED_UP_TO ? byName(entries) : entries;
    } catch (thrown) {
      const name = join(prefix, directory.slice(root.length));
      // a prefix that does not exist is a pattern without a match, which is reported as such
      if (!isAbsent(thrown) || isMangled(name)) problems.push(unreadable(thrown, name));
      return [];
    }
  };
}

/** fast-glob's file system has callbacks and two shapes of readdir, of which it calls the one with types. */
function adapt(list: List): NonNullable<fastGlob.Options['fs']>['readdir'] & {} {
  type Types = { withFileTypes: true };
  type Done<T> = (error: NodeJS.ErrnoException | null, files: T[]) => void;
  function read(directory: string, options: Types, done: Done<Dirent>): void;
  function read(directory: string, done: Done<string>): void;
  function read(directory: string, second: Types | Done<string>, done?: Done<Dirent>): void {
    if (typeof second === 'function') readdirOf(directory, second);
    else if (done)
      list(directory).then(
        (files) => done(null, files),
        (thrown) => done(thrown, []),
      );
  }
  return read;
}

function isEntry(value: unknown): value is fastGlob.Entry {
  return typeof value === 'object' && value !== null && 'dirent' in value;
}
