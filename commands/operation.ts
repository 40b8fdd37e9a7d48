import { Flags } from '@oclif/core';
import { ImgtoolError } from '../src/errors.js';
import type { Operation } from '../src/operations/operation.js';
import { thumbnail } from '../src/operations/thumbnail.js';
import type { Recipe } from '../src/recipe.js';
import { BatchCommand, batchArgs, batchFlags, inputsOf } from './batch-command.js';
import type { RecipeDefaults } from './flags/configured.js';
import { flagsOf, givenTo, kebab } from './flags/derived.js';
import { recipeFrom } from './flags/recipe.js';
import { flagText, inFlags } from './wording.js';

/** The command of an operation: its flags, help and examples come from the registry, where it has this place. */
export function operationCommand(operation: Operation, place: number) {
  const extra = operation.name === 'resize' ? { thumb: THUMB } : {};
  return class OperationCommand extends BatchCommand {
    static override summary = operation.summary;
    static override args = batchArgs;
    static override flags: typeof batchFlags = ownFirst(
      { ...extra, ...flagsOf(operation.params, 'OPERATION') },
      batchFlags,
    );
    static override examples = examplesOf(operation);
    /** Told to the catalogue, so that help knows operations from other commands, and their order. */
    static operation = place;

    async run(): Promise<void> {
      const parsed = await this.parse(OperationCommand);
      const { flags, defaults } = await this.configured(parsed);
      const inputs = inputsOf(parsed.args);
      await this.process(inputs, flags, recipeOf(operation, inputs, flags, defaults));
    }
  };
}

/** An operation's own flags before the shared ones, and instead of one of the same name. */
function ownFirst<Shared extends object>(own: object, shared: Shared): Shared {
  return { ...own, ...shared, ...own };
}

function recipeOf(
  operation: Operation,
  inputs: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  defaults: RecipeDefaults,
): Recipe {
  try {
    return recipeFrom([stepFrom(operation, flags)], flags, {}, defaults);
  } catch (thrown) {
    throw inFlags(thrown, operation, { thumb: flags.thumb !== undefined, inputs });
  }
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
      field: '--thumb',
    });
  return { ...givenTo(thumbnail.params, { size: flags.thumb }, 'thumb'), op: thumbnail.name };
}

function examplesOf(operation: Operation): string[] {
  const lines = operation.examples.map((params) =>
    ['<%= config.bin %> <%= command.id %> ./images', ...Object.entries(params).map(flagText)].join(' '),
  );
  return operation.name === 'resize' ? ['<%= config.bin %> resize ./images --thumb 100', ...lines] : lines;
}
