import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError } from '../src/errors.js';
import type { Source } from '../src/io/source.js';
import { type Planned, planned } from '../src/planned.js';
import { prune } from '../src/prune.js';
import { recipeJson } from '../src/recipe.js';
import { Names, type Naming, settleNames } from '../src/targets.js';
import type { BatchFlags } from './batch-command.js';
import { failureCount, isForgiven } from './failures.js';
import type { InputPlan } from './inputs.js';
import { listDocument } from './terminal/document.js';
import { shown } from './terminal/reporter.js';
import { printable, say, writeData } from './terminal/streams.js';

/** What a run would be given. */
export interface Plan {
  readonly inputs: InputPlan;
  readonly naming: Naming;
  readonly flags: BatchFlags;
  readonly destination: Destination;
  find(drain: AbortSignal): AsyncIterable<Source>;
}

/** Prints what a run would do, as text or JSON, and writes nothing; the exit code is that of a run that all went well. */
export async function dryRun(plan: Plan): Promise<number> {
  const { inputs, find, naming, flags, destination } = plan;
  const printer = printerFor(plan);
  const failures = failureCount(flags);
  let count = 0;
  const fail = async (source: string, error: ImgtoolError): Promise<void> => {
    if (isForgiven(error, flags)) return;
    failures.add(error);
    await printer.failed(source, error);
  };
  inputs.listen({ problem: (error) => fail(error.file ?? '-', error), unreadable: () => undefined });
  const taken = new Names();
  for await (const item of settleNames(() => find(failures.tooMany), naming, taken)) {
    if (failures.tooMany.aborted) break;
    const rows = await planned(item, naming, destination, taken);
    if (rows instanceof ImgtoolError) await fail(item.source.name, rows);
    else for (const row of rows) await printer.planned(item.source.name, row);
    if (!(rows instanceof ImgtoolError)) count += rows.length;
  }
  if (!failures.has('E_NOT_FOUND')) count += await printPrunable(plan, printer);
  if (count + failures.count() === 0 && flags['allow-empty'] !== true)
    throw new ImgtoolError('E_NOTHING_MATCHED', expected('pictures to process', 'none'), { stage: 'find' });
  await printer.close(count, failures.count());
  return failures.exitCode(count + failures.count());
}

/** Prints what `--prune` would remove, or keep because somebody changed it since, and counts it. */
async function printPrunable({ flags, destination }: Plan, printer: Printer): Promise<number> {
  if (flags.prune !== true || destination.kind !== 'folder' || destination.manifest === undefined) return 0;
  let count = 0;
  for await (const { path, source, action } of prune(destination.path, destination.manifest)) {
    await printer.planned(source, { target: path, action: action === 'removed' ? 'prune' : 'keep' });
    count += 1;
  }
  return count;
}

interface Printer {
  planned(source: string, row: Planned): Promise<void>;
  failed(source: string, error: ImgtoolError): Promise<void>;
  close(planned: number, failed: number): Promise<void>;
}

function printerFor({ flags, naming }: Plan): Printer {
  if (flags.json === true) {
    const document = listDocument({ dryRun: true, recipe: recipeJson(naming.recipe) }, 'plan');
    return jsonPrinter(
      (row) => document.add(row),
      () => document.close({}),
    );
  }
  if (flags.ndjson === true) return jsonPrinter((row) => writeData(`${JSON.stringify(row)}\n`));
  const line = (text: string): Promise<void> => writeData(`${printable(text)}\n`);
  return {
    planned: (source, { action, target }) =>
      line(
        action === 'prune' || action === 'keep'
          ? `${action} ${shownTarget(target)}`
          : `${action} ${source} → ${shownTarget(target)}`,
      ),
    failed: (source, { code, message }) => line(`fail ${source}: ${code}: ${message}`),
    async close(count, failed) {
      if (flags.quiet !== true) say(`${count} planned, ${failed} failing; nothing was written`);
    },
  };
}

function jsonPrinter(write: (row: object) => Promise<void>, close = async (): Promise<void> => {}): Printer {
  return {
    planned: (source, { action, target }) => write({ source, target: shownTarget(target), action }),
    failed: (source, error) => write({ source, action: 'fail', error }),
    close,
  };
}

function shownTarget(target: string): string {
  return target === '-' ? target : shown(target);
}
