import { Args } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { jobServerFlags } from './flags/job-server.js';

/** All there is to know of a job. */
export class JobsShowCommand extends ImgtoolCommand {
  static override summary = 'Show a job, with its results or why it failed';
  static override args = {
    id: Args.string({ description: 'a job’s id', required: true, ignoreStdin: true }),
  };
  static override flags = jobServerFlags;
  static override examples = ['<%= config.bin %> jobs show 0198c0de-5c1f-7a60-8f3e-2b7c41d09a55'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsShowCommand);
    const { showJob } = await import('./jobs-run.js');
    await showJob(args.id, flags);
  }
}
