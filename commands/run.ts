import { Flags } from '@oclif/core';
import { expected, ImgtoolError } from '../src/errors.js';
import { parseStep } from '../src/surface/step-text.js';
import { BatchCommand, batchArgs, batchFlags, inputsOf } from './batch-command.js';
import { recipeFrom } from './flags/recipe.js';

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
    recipe: Flags.string({
      description: 'a recipe file, YAML or JSON',
      helpValue: 'FILE',
      helpGroup: 'OPERATION',
    }),
  };
  static override examples = [
    '<%= config.bin %> run ./images --op resize:width=800 --op grayscale --op rotate:angle=-90',
    '<%= config.bin %> run ./images --recipe recipe.yaml',
    '<%= config.bin %> run ./images --format webp --quality 75',
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RunCommand);
    const steps = flags.op?.map(parseStep);
    if (steps === undefined && flags.recipe === undefined && !converts(flags)) {
      throw new ImgtoolError(
        'E_USAGE',
        `${expected('--op, --recipe or --format', 'none')}; for example: imgtool run ./images --op resize:width=800`,
        { field: 'op' },
      );
    }
    if (steps !== undefined && flags.recipe !== undefined)
      throw new ImgtoolError('E_USAGE', expected('--op or --recipe', 'both'), { field: 'recipe' });
    const { readRecipe } = await import('./recipe-file.js');
    const base = flags.recipe === undefined ? {} : await readRecipe(flags.recipe);
    await this.process(inputsOf(args), flags, recipeFrom(steps, flags, base));
  }
}

/** Whether the encoder flags alone ask for work. */
function converts(flags: Readonly<Record<string, unknown>>): boolean {
  return ['format', 'formats', 'sizes'].some((name) => flags[name] !== undefined);
}
