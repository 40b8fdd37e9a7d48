import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Processors this process may use: the scheduler's affinity, cut down by a container's CPU quota; at least 1. */
export function processors(): number {
  return Math.max(
    1,
    Math.min(availableParallelism(), quota('/sys/fs/cgroup/cpu.max') ?? Number.POSITIVE_INFINITY),
  );
}

/** A cgroup v2 `cpu.max` (`quota period` in microseconds, or `max`) as whole processors, rounded up. */
function quota(path: string): number | undefined {
  try {
    const [limit, period] = readFileSync(path, 'utf8').trim().split(' ').map(Number);
    return limit !== undefined && period !== undefined && limit > 0 ? Math.ceil(limit / period) : undefined;
  } catch {
    return undefined;
  }
}
