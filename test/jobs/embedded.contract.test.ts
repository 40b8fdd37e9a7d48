import { openEmbedded } from '../../src/jobs/embedded.js';
import { jobQueueContract, type Rig, type RigOptions } from '../contract/job-queue.js';
import { tempDir } from '../support/fixtures.js';
import { TurnedClock } from './turned-clock.js';

async function open(folder: string, clock: TurnedClock, options: RigOptions): Promise<Rig> {
  const queue = await openEmbedded({ folder, clock, grace: 0, ...options });
  return {
    queue,
    blobs: queue.blobs,
    pass: (ms) => clock.pass(ms),
    async reopen() {
      await queue.close();
      return open(folder, clock, options);
    },
  };
}

jobQueueContract('embedded queue', async (options) => open(await tempDir(), new TurnedClock(), options));
