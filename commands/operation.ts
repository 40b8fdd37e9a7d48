import { Flags } from '@oclif/core';
import { ImgtoolError } from '../src/errors.js';
import type { Operation } from '../src/operations/operation.js';
import { thumbnail } from '../src/operations/thumbnail.js';
import { BatchCommand, batchArgs, batchFlags, inputsOf } from './batch-command.js';
import { flagsOf, givenTo, kebab } from './flags/derived.js';
import { recipeFrom } from './flags/recipe.js';

/** The command of an operation: its flags, help and examples come from the registry. */
export function operationCommand(operation: Operation): typeof BatchCommand {
  const extra = operation.name === 'resize' ? { thumb: THUMB } : {};
  return class OperationCommand extends BatchCommand {
    static override summary = operation.summary;
    static override args = batchArgs;
    static override flags: typeof batchFlags = {
      ...batchFlags,
      ...flagsOf(operation.params, 'OPERATION'),
      ...extra,
    };
    static override examples = examplesOf(operation);
    static override strict = true;

    async run(): Promise<void> {
      const { args, flags } = await this.parse(OperationCommand);
      await this.process(inputsOf(args), flags, recipeFrom([stepFrom(operation, flags)], flags));
    }
  };
}

const THUMB = Flags.string({
  description: 'make thumbnails of N px or WxH, as the thumbnail command does',
  helpValue: 'N|WxH',
  helpGroup: 'OPERATION',
});

function stepFrom(
  operation: Operation,
  flags: Readonly<Record<string, unknown>>,
): { op: string } & Record<string, unknown> {
  const given = givenTo(operation.params, flags, operation.name);
  if (flags.thumb === undefined) return { ...given, op: operation.name };
  const rival = Object.keys(given)[0];
  if (rival !== undefined)
    throw new ImgtoolError('E_USAGE', `expected --thumb alone, received --${kebab(rival)} too`, {
      stage: 'plan',
      field: 'thumb',
    });
  return { ...givenTo(thumbnail.params, { size: flags.thumb }, 'thumb'), op: thumbnail.name };
}

function examplesOf(operation: Operation): string[] {
  const lines = operation.examples.map((params) =>
    ['<%= config.bin %> <%= command.id %> ./images', ...Object.entries(params).map(flagText)].join(' '),
  );
  return operation.name === 'resize' ? ['<%= config.bin %> resize ./images --thumb 100', ...lines] : lines;
}

function flagText([name, value]: [string, unknown]): string {
  if (value === true) return `--${kebab(name)}`;
  const text = String(value);
  return `--${kebab(name)}${text.startsWith('-') ? '=' : ' '}${/[^\w.%-]/.test(text) ? `'${text}'` : text}`;
}
