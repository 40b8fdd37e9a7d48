import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError } from '../src/errors.js';
import { Seen } from '../src/io/seen.js';
import { planned } from '../src/planned.js';
import { recipeJson } from '../src/recipe.js';
import { type Naming, settleNames } from '../src/targets.js';
import type { BatchFlags } from './batch-command.js';
import type { InputPlan } from './inputs.js';
import { REPORT_SCHEMA, shown } from './terminal/reporter.js';
import { printable, say, writeData } from './terminal/streams.js';

/** Prints what a run would do, as text or JSON, and writes nothing; the exit code is that of a run that all went well. */
export async function dryRun(
  inputs: InputPlan,
  naming: Naming,
  flags: BatchFlags,
  destination: Destination,
): Promise<number> {
  const asJson = flags.json === true || flags.ndjson === true;
  const counts = { planned: 0, failed: 0 };
  let separator =
    flags.json === true
      ? `{"schema":"${REPORT_SCHEMA}","dryRun":true,"recipe":${JSON.stringify(recipeJson(naming.recipe))},"plan":[\n`
      : '';
  const print = async (row: object, line: string): Promise<void> => {
    await writeData(
      asJson ? separator + JSON.stringify(row) + (flags.ndjson === true ? '\n' : '') : `${printable(line)}\n`,
    );
    if (flags.json === true) separator = ',\n';
  };
  const failed = async (error: ImgtoolError): Promise<void> => {
    counts.failed += 1;
    await print(
      { source: error.file ?? '-', action: 'fail', error },
      `fail ${error.file ?? '-'}: ${error.code}: ${error.message}`,
    );
  };
  inputs.listen({ problem: failed, unreadable: () => undefined });
  const taken = new Seen();
  for await (const item of settleNames(() => inputs.find(new AbortController().signal), naming, taken)) {
    const row = await planned(item, naming, destination, taken);
    if (row instanceof ImgtoolError) {
      await failed(row);
      continue;
    }
    for (const { target: path, action } of row) {
      counts.planned += 1;
      const target = path === '-' ? path : shown(path);
      await print({ source: item.source.name, target, action }, `${action} ${item.source.name} → ${target}`);
    }
  }
  if (flags.json === true) await writeData(`${separator === ',\n' ? '' : separator}\n]}\n`);
  else if (!asJson && flags.quiet !== true)
    say(`${counts.planned} planned, ${counts.failed} failing; nothing was written`);
  if (counts.planned + counts.failed === 0 && flags['allow-empty'] !== true) {
    throw new ImgtoolError('E_NOTHING_MATCHED', expected('pictures to process', 'none'), { stage: 'find' });
  }
  return counts.failed > 0 ? 1 : 0;
}
