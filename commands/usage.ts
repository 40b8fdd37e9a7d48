import { existsSync } from 'node:fs';
import { expected, ImgtoolError } from '../src/errors.js';
import { nearest } from '../src/operations/nearest.js';

/** What oclif's parser complains of, in the house's words; `flags` are the names of the command's flags. */
export function usageError(thrown: Error, flags: readonly string[]): ImgtoolError {
  const text = thrown.message.replace(/\n?See more help with --help\s*$/, '');
  const { field, message } = unknownFlag(thrown, flags) ??
    firstMatch(text) ?? { message: text.replaceAll(/\s+/g, ' ') };
  return new ImgtoolError('E_USAGE', message, { ...(field !== undefined && { field }), cause: thrown });
}

interface Wording {
  readonly field?: string | undefined;
  readonly message: string;
}

function unknownFlag(thrown: Error, flags: readonly string[]): Wording | undefined {
  const [given] = (thrown as { flags?: readonly string[] }).flags ?? [];
  if (given === undefined) return undefined;
  const [name = given] = given.split('=');
  const message = expected('a flag of this command', name);
  const hint = existsSync(given) ? `./${given}` : nearFlag(name, flags);
  return { message: hint === undefined ? message : `${message}; did you mean ${hint}?` };
}

function nearFlag(name: string, flags: readonly string[]): string | undefined {
  const near = nearest(
    name.replace(/^-+/, ''),
    flags.flatMap((flag) => [flag, `no-${flag}`]),
  );
  return near && `--${near}`;
}

function firstMatch(text: string): Wording | undefined {
  for (const [pattern, wording] of WORDINGS) {
    const match = pattern.exec(text);
    if (match !== null) return wording(match.slice(1).map((group) => group ?? ''));
  }
  return undefined;
}

const oneOf = (field: string | undefined, received: string, values: string): Wording => {
  // a number is no slip of another number
  const near = /^\d*$/.test(received) ? undefined : nearest(received, values.split(', '));
  return {
    field,
    message: expected(`one of ${values}`, received) + (near === undefined ? '' : `; did you mean ${near}?`),
  };
};

/** How the parser says it, and how we do. */
const WORDINGS: readonly (readonly [RegExp, (groups: readonly string[]) => Wording])[] = [
  [
    /^Expected (--[\w-]+)=([\s\S]*) to be one of: (.*)$/,
    ([flag, given = '', values = '']) => oneOf(flag, given, values),
  ],
  [/^Expected ([\s\S]*) to be one of: (.*)$/, ([given = '', values = '']) => oneOf(undefined, given, values)],
  [
    /^Parsing (--[\w-]+)\s+Expected (.*) but received: ([\s\S]*)$/,
    ([field, what = '', given]) => ({
      field,
      message: expected(what.replace('an integer', 'a whole number'), given),
    }),
  ],
  // our own parsers' words, which oclif puts between its own
  [/^Parsing (--[\w-]+)\s+(expected [\s\S]*)$/, ([field, message = '']) => ({ field, message })],
  [
    /^The following errors? occurred:\s+((?:Missing required flag \S+\s*)+)$/,
    ([list = '']) => ({
      message: expected(
        [...list.matchAll(/flag (\S+)/g)].map(([, name]) => `--${name}`).join(' and '),
        'nothing',
      ),
    }),
  ],
  [
    /^Flag (--[\w-]+) expects one of these values: (.*)$/,
    ([field, values]) => ({ field, message: expected(`one of ${values}`, 'nothing') }),
  ],
  [/^Flag (--[\w-]+) expects a value/, ([field]) => ({ field, message: expected('a value', 'nothing') })],
  [
    /^Flag (--[\w-]+) can only be specified once/,
    ([field]) => ({ field, message: expected('it once', 'it several times') }),
  ],
  [
    /(--[\w-]+)=[\s\S]* cannot also be provided when using (--[\w-]+)/,
    ([field, rival]) => ({ field, message: expected(`either ${field} or ${rival}`, 'both') }),
  ],
  [
    /^Missing \d+ required args?:\s+\w+[ \t]*(?:\((.*)\))?(.*)/,
    ([values = '', description = '']) => ({
      message: expected(values === '' ? description : `one of ${values.replaceAll('|', ', ')}`, 'nothing'),
    }),
  ],
  [/^Unexpected arguments?: (.*)$/, ([given]) => ({ message: expected('no more arguments', given) })],
];
