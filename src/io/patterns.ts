import { realpath, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import fastGlob from 'fast-glob';
import { unreadableTypeOf } from '../codecs/extensions.js';
import { type FindContext, problem } from './found.js';
import { matches } from './matches.js';
import { Seen } from './seen.js';
import { isOwnOutput, isWanted, type Walked, walk } from './walk.js';

/** A file that a pattern matched, and the pattern's fixed prefix as an absolute folder. */
export interface Match extends Walked {
  readonly root: string;
}

/** Whether an argument that names nothing is to be expanded. */
export function isPattern(text: string, platform: NodeJS.Platform): boolean {
  return fastGlob.isDynamicPattern(bang(slashed(text, platform)));
}

/**
 * The files that a pattern matches, relative to its fixed prefix; a pattern says its own depth, whatever `recursive` says.
 *
 * Files count as in a directory, by extension; a pattern that spells an extension (`*.dat`) takes unknown ones too. When it
 * matches directories only (`shoot-*`), those are walked. Hidden entries need a dot in the pattern. Links to directories are
 * not entered below the prefix, and our own outputs are passed over. No match at all is reported as E_NOTHING_MATCHED.
 */
export async function* expand(text: string, context: FindContext): AsyncGenerator<Match> {
  const { prefix, rest } = await split(slashed(text, context.platform), context.cwd);
  const root = resolve(context.cwd, prefix);
  const folders: Match[] = [];
  let files = 0;
  for await (const { relative, kind } of matches(root, prefix, rest, context)) {
    const match = { root, relative, path: join(root, relative), name: join(prefix, relative) };
    if (kind !== 'file') folders.push(match);
    else if (++files > 0 && isMeant(match.name, rest, context)) yield match;
  }
  if (files > 0) return;
  if (folders.length === 0) context.problem(problem('E_NOTHING_MATCHED', noMatch(text), text));
  yield* walkAll(folders, context);
}

function noMatch(text: string): string {
  return `no file matched the pattern ${text}: expected at least 1, received 0`;
}

async function* walkAll(folders: readonly Match[], context: FindContext): AsyncGenerator<Match> {
  // shared, because a pattern such as a/**/ matches folders inside one another
  const visited = new Seen();
  for (const folder of folders) {
    if (await isOwnOutput(await realpath(folder.path).catch(() => folder.path), context)) continue;
    for await (const file of walk(folder, context, visited)) {
      yield { ...file, root: folder.root, relative: `${folder.relative}/${file.relative}` };
    }
  }
}

/** A backslash is a separator on Windows, and so cannot escape there; elsewhere it escapes. */
function slashed(text: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? text.replaceAll('\\', '/') : text;
}

/** A leading `!` is part of a name here, where each pattern stands alone; to the matcher it would mean "not". */
function bang(pattern: string): string {
  return pattern.replace(/^!(?!\()/, '\\!');
}

/** The leading folders without pattern characters, or that exist as they are written, and the pattern behind them. */
async function split(pattern: string, cwd: string): Promise<{ prefix: string; rest: string }> {
  const segments = pattern.replace(/\/+$/, '').split('/');
  let prefix = '';
  while (segments.length > 1) {
    const longer = `${prefix}${segments[0]}/`;
    if (SPECIAL.test(segments[0] ?? '') && !(await isDirectory(resolve(cwd, longer)))) break;
    prefix = longer;
    segments.shift();
  }
  return { prefix, rest: bang(segments.join('/')) };
}

const SPECIAL = /[*?[{\\]|[@+!]\(|\(.*\|/;

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function isMeant(name: string, pattern: string, context: FindContext): boolean {
  if (isWanted(name, context)) return true;
  return SPELLS_EXTENSION.test(pattern) && unreadableTypeOf(extname(name)) === undefined;
}

const SPELLS_EXTENSION = /\.[^*?./]+$/;
