import { Flags } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { jobServerFlags } from './flags/job-server.js';

/** The jobs at a server. */
export class JobsListCommand extends ImgtoolCommand {
  static override summary = 'List the jobs at a server, the newest first';
  static override flags = {
    state: Flags.string({
      description: 'only jobs in this state',
      options: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
    }),
    limit: Flags.integer({ description: 'most jobs to list', default: 50, min: 1, helpValue: 'N' }),
    ...jobServerFlags,
  };
  static override examples = [
    '<%= config.bin %> jobs list',
    '<%= config.bin %> jobs list --state failed --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(JobsListCommand);
    const { listJobs } = await import('./jobs-run.js');
    await listJobs(flags);
  }
}
