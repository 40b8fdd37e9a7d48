import { Flags } from '@oclif/core';
import { batchArgs, inputsOf } from './batch-command.js';
import { ImgtoolCommand } from './command.js';
import { inputFlags, runFlags } from './flags/batch.js';

const {
  recursive,
  'files-from': filesFrom,
  'auto-orient': autoOrient,
  'allow-empty': allowEmpty,
} = inputFlags;
const { concurrency, json, ndjson, quiet } = runFlags;

/** What pictures are, from their headers alone. */
export class SizeCommand extends ImgtoolCommand {
  static override summary = 'Tell size, format and more, from the header only';
  static override args = batchArgs;
  static override flags = {
    recursive,
    'files-from': filesFrom,
    'auto-orient': autoOrient,
    'allow-empty': allowEmpty,
    concurrency,
    json,
    ndjson,
    quiet,
    csv: Flags.boolean({
      description: 'print comma-separated values',
      helpGroup: 'RUN',
      exclusive: ['json', 'ndjson'],
    }),
  };
  static override aliases = ['info'];
  static override examples = ['<%= config.bin %> size ./images', '<%= config.bin %> size photo.jpg --json'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SizeCommand);
    const { tellSizes } = await import('./size-run.js');
    process.exitCode = await tellSizes(inputsOf(args), flags);
  }
}
