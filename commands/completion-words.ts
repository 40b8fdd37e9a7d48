import type { Parameter } from '../src/surface/parameters.js';
import { type CommandEntry, type FlagEntry, typed, valuesOf } from './catalogue.js';

/** A flag as a completion script offers it. */
export interface FlagWord {
  /** As typed: `--out`, and `-o` where it has a letter. */
  readonly forms: readonly [string, ...string[]];
  readonly description: string;
  /** What follows it: nothing, one of some values, a step of a recipe, a file, a folder, or any text. */
  readonly takes: 'nothing' | 'values' | 'step' | 'file' | 'folder' | 'text';
  readonly values: readonly string[];
  /** Whether it makes sense more than once. */
  readonly repeats: boolean;
}

/** A command as a completion script offers it. */
export interface CommandWord {
  /** As typed, of one word or two. */
  readonly name: string;
  readonly description: string;
  readonly flags: readonly FlagWord[];
  /** The values of its argument; none when it takes files. */
  readonly argument: readonly string[];
  readonly takesFiles: boolean;
}

/** All that completion scripts know. */
export interface Vocabulary {
  readonly commands: readonly CommandWord[];
  readonly steps: readonly { readonly name: string; readonly parameters: readonly Parameter[] }[];
}

const HELP: FlagWord = {
  forms: ['--help', '-h'],
  description: 'show help',
  takes: 'nothing',
  values: [],
  repeats: false,
};

/** The words of a command line, from the catalogue and the registry. */
export function vocabulary(
  catalogue: Readonly<Record<string, CommandEntry>>,
  steps: Vocabulary['steps'],
): Vocabulary {
  const entries = Object.values(catalogue).filter(({ hidden }) => hidden !== true);
  return {
    commands: entries.flatMap(({ id, aliases, ...entry }) =>
      [id, ...aliases].map((name) => commandWord(name, entry)),
    ),
    steps,
  };
}

function commandWord(
  id: string,
  { summary, flags, args }: Pick<CommandEntry, 'summary' | 'flags' | 'args'>,
): CommandWord {
  const [argument] = Object.values(args);
  return {
    name: typed(id),
    description: summary ?? '',
    flags: [
      ...Object.values(flags)
        .filter(({ hidden }) => hidden !== true)
        .flatMap(flagWords),
      HELP,
    ],
    argument: argument?.options ?? [],
    takesFiles: argument !== undefined && argument.options === undefined,
  };
}

function flagWords(flag: FlagEntry): FlagWord[] {
  const values = valuesOf(flag);
  const word: FlagWord = {
    forms: [`--${flag.name}`, ...(flag.char === undefined ? [] : [`-${flag.char}`])],
    description: flag.description ?? '',
    takes: taken(flag, values),
    values,
    repeats: flag.multiple === true,
  };
  if (flag.allowNo !== true) return [word];
  return [word, { ...word, forms: [`--no-${flag.name}`], description: `not: ${word.description}` }];
}

function taken({ type, helpValue }: FlagEntry, values: readonly string[]): FlagWord['takes'] {
  if (type === 'boolean') return 'nothing';
  if (helpValue === 'STEP') return 'step';
  if (helpValue === 'FILE') return 'file';
  if (helpValue === 'DIR') return 'folder';
  return values.length > 0 ? 'values' : 'text';
}
