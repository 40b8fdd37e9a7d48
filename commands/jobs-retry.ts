import { Args } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { jobServerFlags } from './flags/job-server.js';

/** Gives jobs another chance. */
export class JobsRetryCommand extends ImgtoolCommand {
  static override summary = 'Queue jobs anew that failed or were cancelled';
  static override args = {
    id: Args.string({ description: 'ids of the jobs', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = jobServerFlags;
  static override examples = ['<%= config.bin %> jobs retry 0198c0de-5c1f-7a60-8f3e-2b7c41d09a55'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsRetryCommand);
    const { retryJobs } = await import('./jobs-run.js');
    process.exitCode = await retryJobs(args.id, flags);
  }
}
