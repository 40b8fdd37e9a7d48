import { Args } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { duration } from './flags/duration.js';
import { jobServerFlags } from './flags/job-server.js';

/** Waits for jobs. */
export class JobsWaitCommand extends ImgtoolCommand {
  static override summary = 'Wait until jobs at a server have ended';
  static override description =
    'Ends with exit code 0 when all jobs succeeded, else with 1. A server that is started anew meanwhile is waited for.';
  static override args = {
    id: Args.string({ description: 'ids of the jobs', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    timeout: duration({ description: 'wait no longer than this; as long as it takes by default' }),
    ...jobServerFlags,
  };
  static override examples = [
    '<%= config.bin %> jobs wait 0198c0de-5c1f-7a60-8f3e-2b7c41d09a55 --timeout 10m',
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsWaitCommand);
    const { waitForJobs } = await import('./jobs-run.js');
    process.exitCode = await waitForJobs(args.id, flags);
  }
}
