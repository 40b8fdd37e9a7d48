import { type CommandEntry, type FlagEntry, typed } from './catalogue.js';
import { find } from './find-command.js';
import { wrapped } from './wrapped.js';

/** The commands that come first: the three main jobs. */
const FIRST = ['resize', 'watch', 'serve'];

/** Groups of flags, in the order in which people need them; others follow. */
const GROUPS = ['OPERATION', 'OUTPUT', 'ENCODING', 'INPUT', 'RUN', 'REMOTE'];

/** Cells of the column that holds the flags. */
const FLAG_CELLS = 27;

type Catalogue = Readonly<Record<string, CommandEntry>>;

/** The help for the words of a command line: of a command, of a group of commands, or of all. */
export function helpFor(words: readonly string[], catalogue: Catalogue, width: number): string {
  const [first] = words;
  if (first === undefined) return rootHelp(catalogue, width);
  const group = Object.values(catalogue).filter(({ id }) => id.startsWith(`${first}:`));
  if (words.length === 1 && group.length > 0 && !(first in catalogue)) return groupHelp(first, group);
  return commandHelp(find(words, catalogue).command, width);
}

function groupHelp(name: string, group: readonly CommandEntry[]): string {
  return [
    `Usage: imgtool ${name} COMMAND [flags]`,
    '',
    ...group.map(({ id, summary }) => `  imgtool ${typed(id).padEnd(16)} ${summary ?? ''}`),
  ].join('\n');
}

/** Root help that fits a terminal of 24 lines: the main jobs, the operations, the rest. */
function rootHelp(catalogue: Catalogue, width: number): string {
  const shown = Object.values(catalogue).filter(({ hidden }) => hidden !== true);
  const first = FIRST.flatMap((name) => shown.find(({ id }) => id === name) ?? []);
  const operations = shown
    .filter((entry) => placeOf(entry) !== undefined && !first.includes(entry))
    .sort((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
  const rest = shown.filter((entry) => !first.includes(entry) && !operations.includes(entry));
  const more = [...new Set(rest.map(({ id }) => id.split(':')[0]))].sort();
  return [
    'imgtool: process images in batches. imgtool COMMAND --help tells more.',
    '',
    '  imgtool resize ./images --thumb 100',
    '',
    ...first.map(summaryLine),
    '',
    'Operations',
    ...operations.map(summaryLine),
    '',
    ...wrapped(`More: ${more.join(' ')}`, width),
  ].join('\n');
}

/** `size` makes no picture, but people look for it among the operations. */
function placeOf({ id, operation }: CommandEntry): number | undefined {
  return id === 'size' ? Number.POSITIVE_INFINITY : operation;
}

/** One line, whatever the width: of a long summary only what stands before its first colon or bracket. */
function summaryLine({ id, summary = '' }: CommandEntry): string {
  const [start = summary] = summary.split(/:| \(/);
  return `  ${id.padEnd(11)} ${summary.length > SUMMARY_CELLS ? start : summary}`;
}

const SUMMARY_CELLS = 66;

/** The help of one command: what it does, how it is written, its flags by group, examples. */
function commandHelp(entry: CommandEntry, width: number): string {
  const flags = Object.values(entry.flags).filter(({ hidden }) => hidden !== true);
  return [
    ...wrapped(entry.summary ?? '', width),
    '',
    ...usage(entry, flags.length > 0),
    ...(entry.description === undefined ? [] : ['', ...paragraphs(entry.description, width)]),
    ...groupsOf(flags).flatMap((group) => ['', title(group), ...groupLines(flags, group, width)]),
    ...examples(entry),
    ...(entry.aliases.length === 0 ? [] : ['', `Also: imgtool ${entry.aliases.join(', imgtool ')}`]),
  ].join('\n');
}

function usage({ id, args }: CommandEntry, hasFlags: boolean): string[] {
  const shown = Object.values(args);
  const words = shown.map(({ name, required, multiple }) => {
    const word = `${name.toUpperCase()}${multiple === true ? '...' : ''}`;
    return required === true ? word : `[${word}]`;
  });
  const column = Math.max(...shown.map(({ name }) => name.length), 0);
  return [
    ['Usage: imgtool', typed(id), ...words, ...(hasFlags ? ['[flags]'] : [])].join(' '),
    ...shown.map(
      ({ name, description, options }) =>
        `  ${name.toUpperCase().padEnd(column)}  ${description ?? ''}${options === undefined ? '' : `: ${options.join(', ')}`}`,
    ),
  ];
}

function paragraphs(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => (/^\s/.test(line) ? [line] : wrapped(line, width)));
}

function groupsOf(flags: readonly FlagEntry[]): string[] {
  const present = new Set(flags.map(groupOf));
  return [...new Set([...GROUPS, ...present])].filter((group) => present.has(group));
}

function groupOf({ helpGroup }: FlagEntry): string {
  return helpGroup ?? 'FLAGS';
}

function title(group: string): string {
  // a heading that is no shout is spelled as it should be
  if (group !== group.toUpperCase()) return group;
  return group.charAt(0) + group.slice(1).toLowerCase();
}

function groupLines(flags: readonly FlagEntry[], group: string, width: number): string[] {
  return flags.filter((flag) => groupOf(flag) === group).flatMap((flag) => flagLines(flag, width));
}

function flagLines(flag: FlagEntry, width: number): string[] {
  const { token, values } = tokenOf(flag);
  const text = [...described(flag, values)].join(' ').replaceAll('[default: ', `[default:${GLUE}`);
  const lines = wrapped(text, width - FLAG_CELLS).map((line) => line.replaceAll(GLUE, ' '));
  if (token.length >= FLAG_CELLS) return [token, ...lines.map((line) => ' '.repeat(FLAG_CELLS) + line)];
  return lines.map((line, index) => (index === 0 ? token : '').padEnd(FLAG_CELLS) + line);
}

/** Holds two words on one line. */
const GLUE = '\u00a0';

/** The description with the values that it may have, and last what holds when it is not given. */
function described(
  { type, description = '', default: standard }: FlagEntry,
  values: readonly string[],
): string[] {
  const [, text = '', given] = /^(.*?)(?:\s*(\[default: .*\]))?$/s.exec(description) ?? [];
  const own = type === 'option' && standard !== undefined ? `[default: ${standard}]` : undefined;
  return [text, ...values, given ?? own].filter((part) => part !== undefined);
}

/** The flag with its value; values that do not fit beside it join the description. */
function tokenOf(flag: FlagEntry): { token: string; values: string[] } {
  const name = flag.allowNo === true && isOn(flag) ? `[no-]${flag.name}` : flag.name;
  const start = `  ${flag.char === undefined ? '    ' : `-${flag.char}, `}--${name}`;
  if (flag.type === 'boolean') return { token: start, values: [] };
  const inline = `${start} ${flag.options?.join('|') ?? flag.helpValue ?? 'TEXT'}`;
  if (inline.length < FLAG_CELLS || flag.options === undefined) return { token: inline, values: [] };
  return { token: `${start} WORD`, values: [`(${flag.options.join(', ')})`] };
}

/** The catalogue keeps no default of a switch, so its description says so. */
function isOn({ description }: FlagEntry): boolean {
  return description?.endsWith('[default: on]') === true;
}

function examples({ id, examples: given }: CommandEntry): string[] {
  if (given === undefined || given.length === 0) return [];
  const lines = given.map((line) =>
    line.replaceAll('<%= config.bin %>', 'imgtool').replaceAll('<%= command.id %>', typed(id)),
  );
  return ['', 'Examples', ...lines.map((line) => `  ${line}`)];
}
