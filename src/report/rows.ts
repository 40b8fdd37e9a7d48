import type { Outcome } from '../outcome.js';
import { roundedMs } from './figures.js';

/** An outcome as reports give it: its keys always in the same order, the source first, times to a tenth of a millisecond. */
export function outcomeRow(outcome: Outcome): object {
  const { source, status } = outcome;
  if (outcome.status === 'failed') return { source, status, error: outcome.error };
  const { outputs } = outcome;
  if (outcome.status === 'skipped') return { source, status, reason: outcome.reason, outputs };
  if (outcome.status === 'pruned') return { source, status, action: outcome.action, outputs };
  const { bytes, ms, passes, notes } = outcome;
  return { source, status, outputs, bytes, ms: roundedMs(ms), passes, notes };
}
