import { Args } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { jobServerFlags } from './flags/job-server.js';

/** Calls jobs off. */
export class JobsCancelCommand extends ImgtoolCommand {
  static override summary = 'Cancel jobs at a server';
  static override description = 'A job that waits is cancelled at once, one that runs when it hears of it.';
  static override args = {
    id: Args.string({ description: 'ids of the jobs', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = jobServerFlags;
  static override examples = ['<%= config.bin %> jobs cancel 0198c0de-5c1f-7a60-8f3e-2b7c41d09a55'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsCancelCommand);
    const { cancelJobs } = await import('./jobs-run.js');
    process.exitCode = await cancelJobs(args.id, flags);
  }
}
