import pLimit from 'p-limit';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { type Facts, factsOfSource } from '../src/facts.js';
import { localSource, type Source } from '../src/io/source.js';
import { processors } from '../src/machine.js';
import { newTally } from '../src/report/tally.js';
import { failureLine, unreadableLines } from '../src/report/text.js';
import { tuneEngine } from '../src/versions.js';
import type { BatchFlags } from './batch-command.js';
import { planInputs } from './inputs.js';
import { sizePrinter } from './size-print.js';
import { onInterrupt } from './terminal/signals.js';
import { printable, say } from './terminal/streams.js';

/** The flags of `size`. */
export type SizeFlags = Partial<BatchFlags> & { readonly csv?: boolean };

/** Prints what pictures are and gives the exit code. */
export async function tellSizes(args: readonly string[], flags: SizeFlags): Promise<number> {
  tuneEngine();
  const inputs = await planInputs(args, flags as BatchFlags, undefined);
  const printer = sizePrinter(flags);
  const tally = newTally();
  const counts = { found: 0, failed: 0 };
  const fail = async (error: ImgtoolError): Promise<void> => {
    counts.failed += 1;
    await printer.error(error);
    say(`  ${printable(failureLine(error.file ?? '-', error))}`);
  };
  inputs.listen({ problem: fail, unreadable: (type) => tally.unreadable(type) });
  const interruption = onInterrupt();
  for await (const result of inOrder(inputs.find(interruption.drain), flags)) {
    if (interruption.drain.aborted) break;
    if (result instanceof ImgtoolError) await fail(result);
    else {
      counts.found += 1;
      await printer.row(result);
    }
  }
  interruption.release();
  const code = interruption.exitCode();
  if (code === undefined && counts.found + counts.failed === 0 && flags['allow-empty'] !== true)
    throw nothingMatched(args);
  await printer.end(code !== undefined);
  if (flags.quiet !== true) for (const line of unreadableLines(tally.summary(0))) say(printable(line));
  return code ?? (counts.failed > 0 ? 1 : 0);
}

function nothingMatched(args: readonly string[]): ImgtoolError {
  return new ImgtoolError('E_NOTHING_MATCHED', expected('pictures', `none in ${args.join(' ')}`), {
    stage: 'find',
  });
}

/** Reads several headers at a time and yields them in the order they were found. */
async function* inOrder(
  sources: AsyncIterable<Source>,
  flags: SizeFlags,
): AsyncGenerator<Facts | ImgtoolError> {
  const concurrency = flags.concurrency ?? processors() + 1;
  const limit = pLimit(concurrency);
  const waiting: Promise<Facts | ImgtoolError>[] = [];
  for await (const source of sources) {
    waiting.push(limit(() => factsOrError(source, flags['auto-orient'] !== false)));
    const first = waiting.length > concurrency * 4 ? waiting.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const pending of waiting) yield await pending;
}

async function factsOrError(source: Source, autoOrient: boolean): Promise<Facts | ImgtoolError> {
  try {
    return await factsOfSource(await localSource(source), autoOrient);
  } catch (thrown) {
    return toImgtoolError(thrown, 'E_READ', { stage: 'read', file: source.name });
  }
}
