import { Flags } from '@oclif/core';
import type { Config } from '../src/config.js';
import { expected, ImgtoolError } from '../src/errors.js';
import type { Recipe } from '../src/recipe.js';
import { parseStep } from '../src/surface/step-text.js';
import { BatchCommand, batchArgs, batchFlags, inputsOf } from './batch-command.js';
import type { RecipeDefaults } from './flags/configured.js';
import { recipeFrom } from './flags/recipe.js';
import { inSteps } from './wording.js';

/** A chain of operations, written as steps or as a recipe file. */
export class RunCommand extends BatchCommand {
  static override summary = 'Run a chain of operations, or a recipe file';
  static override args = batchArgs;
  static override flags = {
    ...batchFlags,
    op: Flags.string({
      description: 'a step, as name or name:key=value,key=value; repeat it for a chain',
      helpValue: 'STEP',
      helpGroup: 'OPERATION',
      multiple: true,
      multipleNonGreedy: true,
    }),
    preset: Flags.string({
      description: 'a named recipe: thumb, web, email, ml-1024x768-gray, or one of a config file',
      helpValue: 'NAME',
      helpGroup: 'OPERATION',
    }),
    recipe: Flags.string({
      description: 'a recipe file, YAML or JSON',
      helpValue: 'FILE',
      helpGroup: 'OPERATION',
    }),
  };
  static override examples = [
    '<%= config.bin %> run ./images --op resize:width=800 --op grayscale --op rotate:angle=-90',
    '<%= config.bin %> run ./images --recipe recipe.yaml',
    '<%= config.bin %> run ./images --preset web',
    '<%= config.bin %> run ./images --sizes 1600,800,400 --formats webp,jpeg',
    '<%= config.bin %> run ./images --format webp --quality 75',
  ];

  async run(): Promise<void> {
    const parsed = await this.parse(RunCommand);
    const { flags, defaults, config } = await this.configured(parsed);
    const sources = [
      flags.op !== undefined && '--op',
      flags.recipe !== undefined && '--recipe',
      flags.preset !== undefined && '--preset',
    ].filter((flag) => flag !== false);
    if (sources.length === 0 && !converts(flags)) {
      const example = 'for example: imgtool run ./images --op resize:width=800';
      throw new ImgtoolError(
        'E_USAGE',
        `${expected('--op, --recipe, --preset or --format', 'none')}; ${example}`,
        { field: '--op' },
      );
    }
    if (sources.length > 1)
      throw new ImgtoolError(
        'E_USAGE',
        expected('one of --op, --recipe and --preset', sources.join(' and ')),
        { field: '--op' },
      );
    const base = await baseRecipe(flags, config);
    await this.process(inputsOf(parsed.args), flags, await recipeOf(flags, base, defaults));
  }
}

/** The recipe; what is wrong with it is told with the step, the flag or the line of the file where it is written. */
export async function recipeOf(
  flags: Readonly<{ op?: string[] | undefined; recipe?: string | undefined }>,
  base: Readonly<Record<string, unknown>>,
  defaults: RecipeDefaults,
): Promise<Recipe> {
  try {
    return recipeFrom(flags.op?.map(parseStep), flags, base, defaults);
  } catch (thrown) {
    if (flags.recipe === undefined) throw inSteps(thrown, flags.op ?? []);
    throw await (await import('./recipe-file.js')).inFile(thrown, flags.recipe);
  }
}

/** The recipe that a file or a preset gives, to be completed by flags. */
export async function baseRecipe(
  flags: { recipe?: string | undefined; preset?: string | undefined },
  config: Config,
): Promise<Readonly<Record<string, unknown>>> {
  if (flags.preset !== undefined)
    return (await import('./flags/configured.js')).presetFrom(config, flags.preset);
  if (flags.recipe === undefined) return {};
  return (await import('./recipe-file.js')).readRecipe(flags.recipe);
}

/** Whether the encoder flags alone ask for work. */
export function converts(flags: Readonly<Record<string, unknown>>): boolean {
  return ['format', 'formats', 'sizes'].some((name) => flags[name] !== undefined);
}
