import pLimit from 'p-limit';
import { type ErrorCode, type ImgtoolError, toImgtoolError } from './errors.js';
import type { Source } from './io/source.js';
import type { Outcome } from './outcome.js';
import { outcomeOf, type Work } from './picture.js';
import { type Item, Names, settleNames } from './targets.js';

/** One run over many pictures. */
export interface Batch extends Work {
  /** The inputs; called again when names must be gathered first. */
  find(): AsyncIterable<Source>;
  /** Pictures in flight. */
  readonly concurrency: number;
  /** Failures after which no more work is taken. */
  readonly maxErrors: number;
  /** Aborted when no more work is to be taken; what runs is finished. */
  readonly drain: AbortSignal;
}

/**
 * Runs a recipe over many pictures, a bounded number at a time, and tells of each as it ends. One bad picture
 * never stops the others. Throws what makes the whole run meaningless: E_COLLISION, E_OVERWRITES_INPUT, a broken manifest, E_AUTH.
 */
export async function runBatch(
  batch: Batch,
  tell: (outcome: Outcome) => void | Promise<void>,
): Promise<void> {
  const run: Run = { batch, taken: new Names(), failures: 0, fatal: undefined, tell };
  const limit = pLimit(batch.concurrency);
  const running = new Set<Promise<void>>();
  try {
    for await (const item of settleNames(() => batch.find(), batch.naming, run.taken)) {
      if (isOver(run)) break;
      const task = limit(() => finish(item, run)).finally(() => running.delete(task));
      running.add(task);
      // a task that fails throws through the race or at the end, never as an unhandled rejection
      task.catch(() => undefined);
      if (running.size >= batch.concurrency) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (run.fatal !== undefined) throw run.fatal;
}

interface Run {
  readonly batch: Batch;
  /** Names given to results that did not get them by construction. */
  readonly taken: Names;
  failures: number;
  fatal: ImgtoolError | undefined;
  tell(outcome: Outcome): void | Promise<void>;
}

function isOver({ batch, failures, fatal }: Run): boolean {
  return batch.drain.aborted || failures >= batch.maxErrors || fatal !== undefined;
}

const FATAL: ReadonlySet<ErrorCode> = new Set([
  'E_COLLISION',
  'E_OVERWRITES_INPUT',
  'E_MANIFEST',
  'E_USAGE',
  // a server that does not let one picture in lets none in
  'E_AUTH',
]);

async function finish(item: Item, run: Run): Promise<void> {
  if (isOver(run)) return;
  const source = item.source.name;
  try {
    await run.tell(await outcomeOf(item, run.batch, run.taken));
  } catch (thrown) {
    const error = toImgtoolError(thrown, 'E_INTERNAL', { file: source });
    if (FATAL.has(error.code)) run.fatal ??= error;
    else run.failures += 1;
    if (!FATAL.has(error.code)) await run.tell({ source, status: 'failed', error });
  }
}
