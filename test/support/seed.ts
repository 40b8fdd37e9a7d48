import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import fc, { type RunDetails } from 'fast-check';
import { expect } from 'vitest';

/** Property tests draw the same inputs in every run, so that a submission fails by its own fault or not at all. */
fc.configureGlobal({ seed: seedOf(process.env.IMGTOOL_SEED), reporter });

/** Another draw is asked for by `random` or a number. */
function seedOf(asked = '1'): number {
  if (asked === 'random') return randomInt(2 ** 31);
  const seed = Number(asked);
  if (asked.trim() === '' || !Number.isInteger(seed))
    throw new Error(`IMGTOOL_SEED: expected a whole number or random, received ${JSON.stringify(asked)}`);
  return seed;
}

/** What fast-check says of a failure, and the line that shows it again. */
function reporter(run: RunDetails<unknown>): void {
  if (!run.failed) return;
  const file = relative(process.cwd(), expect.getState().testPath ?? '');
  const replay = `IMGTOOL_SEED=${run.seed} npx vitest run ${file}`;
  throw new Error(`${fc.defaultReportMessage(run)}\n\nAgain: ${replay}`, { cause: run.errorInstance });
}
