import { expected, ImgtoolError } from '../src/errors.js';
import { nearest } from '../src/operations/nearest.js';
import { typed } from './catalogue.js';
import { shellWord } from './shell-word.js';

interface Named {
  readonly aliases?: readonly string[] | undefined;
}

/** A command found at the start of a command line, and what follows its name. */
export interface FoundCommand<C> {
  readonly id: string;
  readonly command: C;
  readonly rest: readonly string[];
}

/** The command that a line begins with, of one word or two; throws E_USAGE that names the nearest one. */
export function find<C extends Named>(
  argv: readonly string[],
  commands: Readonly<Record<string, C>>,
): FoundCommand<C> {
  for (const words of [2, 1]) {
    const id = argv.slice(0, words).join(':');
    const command = named(id, commands);
    if (argv.length >= words && command !== undefined) return { ...command, rest: argv.slice(words) };
  }
  throw unknown(argv, commands);
}

function named<C extends Named>(
  name: string,
  commands: Readonly<Record<string, C>>,
): { id: string; command: C } | undefined {
  const found = Object.entries(commands).find(
    ([id, { aliases }]) => id === name || aliases?.includes(name) === true,
  );
  return found === undefined ? undefined : { id: found[0], command: found[1] };
}

function unknown<C extends Named>(
  [first = '', second = '']: readonly string[],
  commands: Readonly<Record<string, C>>,
): ImgtoolError {
  const ids = Object.entries(commands).flatMap(([id, { aliases }]) => [id, ...(aliases ?? [])]);
  const group = ids.filter((id) => id.startsWith(`${first}:`));
  const received = group.length > 0 ? `${first} ${second}`.trim() : first;
  return new ImgtoolError('E_USAGE', expected('a command', received) + hint(first, second, ids, group));
}

function hint(first: string, second: string, ids: readonly string[], group: readonly string[]): string {
  if (group.length > 0) {
    const near = nearest(`${first}:${second}`, group);
    return near === undefined ? `; one of ${group.map(typed).join(', ')}` : `; did you mean ${typed(near)}?`;
  }
  const near = nearest(first, ids);
  if (near !== undefined) return `; did you mean ${typed(near)}?`;
  // a path where the command should be: what was meant is most likely the main job
  return /[./\\*]/.test(first) ? `; for example: imgtool resize ${shellWord(first)} --thumb 100` : '';
}
