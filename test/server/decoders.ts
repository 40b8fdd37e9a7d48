import { expect, onTestFinished, vi } from 'vitest';
import type { ImageService } from '../../src/server/service.js';

/** The decoder processes of a service, once all of them wait for work. */
export function ready({ service }: { readonly service: ImageService }): Promise<readonly number[]> {
  return vi.waitFor(
    () => {
      const { workersIdle } = service.state();
      // one more than may work at once is kept warm
      expect(workersIdle).toHaveLength(service.limits.workers + 1);
      return workersIdle;
    },
    { timeout: 30_000 },
  );
}

/**
 * Stops decoder processes where they are: what they are given from now on is not done before the function returned is
 * called, however fast the machine is. They go on when the running test ends, too.
 */
export function stopped(pids: readonly number[]): () => void {
  const signalled = (signal: NodeJS.Signals): void => {
    for (const pid of pids) process.kill(pid, signal);
  };
  const goOn = (): void => {
    try {
      signalled('SIGCONT');
    } catch {
      // gone with their server
    }
  };
  signalled('SIGSTOP');
  onTestFinished(goOn);
  return goOn;
}
