import { Args, type Interfaces } from '@oclif/core';
import type { Config } from '../src/config.js';
import type { Recipe } from '../src/recipe.js';
import { ImgtoolCommand } from './command.js';
import { encodingFlags, inputFlags, outputFlags, runFlags } from './flags/batch.js';
import type { Parsed, RecipeDefaults } from './flags/configured.js';
import { queueFlags, remoteFlags } from './flags/remote.js';

/** The arguments and flags of every command that processes pictures. */
export const batchArgs = {
  inputs: Args.string({
    description: 'files, directories, quoted globs, or - for standard input',
    multiple: true,
    ignoreStdin: true,
    required: false,
  }),
};

/** Flags shared by all commands that process pictures. */
export const batchFlags = {
  ...inputFlags,
  ...outputFlags,
  ...encodingFlags,
  ...runFlags,
  ...remoteFlags,
  ...queueFlags,
};

/** What the parser makes of {@link batchFlags}. */
export type BatchFlags = Interfaces.InferredFlags<
  typeof inputFlags & typeof outputFlags & typeof runFlags & typeof remoteFlags & typeof queueFlags
>;

/** A command that runs one recipe over its inputs. */
export abstract class BatchCommand extends ImgtoolCommand {
  /** The flags with what the config says where none was typed, and what recipes start from. */
  protected async configured<F extends object>(
    parsed: Parsed<F>,
  ): Promise<{ flags: F; defaults: RecipeDefaults; config: Config }> {
    const { configured, currentConfig, recipeDefaults } = await import('./flags/configured.js');
    const config = await currentConfig();
    return { flags: configured(parsed, config), defaults: recipeDefaults(config), config };
  }

  /** The heavy parts load here, after the flags have been read. */
  protected async process(inputs: readonly string[], flags: BatchFlags, recipe: Recipe): Promise<void> {
    const run = flags.async
      ? (await import('./async-run.js')).submitFromFlags
      : (await import('./batch-run.js')).runFromFlags;
    process.exitCode = await run(inputs, flags, recipe);
  }
}

/** The inputs as written: the parser drops none, and `-` stays. */
export function inputsOf(args: { inputs?: string | string[] | undefined }): string[] {
  const { inputs } = args;
  return inputs === undefined ? [] : Array.isArray(inputs) ? inputs : [inputs];
}
