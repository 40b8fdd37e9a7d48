import { parentPort } from 'node:worker_threads';
import { type BandJob, type KernelName, kernels } from './kernels.js';

// An error is not caught here: it ends the thread, and the pool hears of it and starts another.
parentPort?.on('message', (job: BandJob) => {
  run(job);
  parentPort?.postMessage('done');
});

function run<N extends KernelName>(job: BandJob<N>): void {
  const slices = kernels[job.kernel](job.source, job.target, job.fromRow, job.toRow, job.params);
  while (Atomics.load(job.stop, 0) === 0 && !slices.next().done);
}
