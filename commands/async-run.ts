import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { localSource, type Source } from '../src/io/source.js';
import { type Recipe, recipeJson } from '../src/recipe.js';
import type { QueuedJob, RemoteQueue } from '../src/remote.js';
import { newTally } from '../src/report/tally.js';
import { failureLine, unreadableLines } from '../src/report/text.js';
import type { BatchFlags } from './batch-command.js';
import { nothingMatched, serversOf } from './batch-run.js';
import { planInputs } from './inputs.js';
import { listDocument } from './terminal/document.js';
import { onInterrupt } from './terminal/signals.js';
import { printable, say, writeData } from './terminal/streams.js';

/** What became of one picture that was handed in. */
type HandedIn = { readonly source: string } & (QueuedJob | { readonly error: ImgtoolError });

/** Leaves pictures at servers as jobs, tells their ids, and gives the exit code: 0 when all were accepted. */
export async function submitFromFlags(
  args: readonly string[],
  flags: BatchFlags,
  recipe: Recipe,
): Promise<number> {
  checkFlags(flags);
  const servers = await serversOf(flags, recipe);
  if (servers === undefined) throw usage('--server beside --async', 'none', '--server');
  const inputs = await planInputs(args, flags, undefined);
  const report = reportOf(flags, recipe);
  const tally = newTally();
  const interruption = onInterrupt();
  const { drain } = interruption;
  const queue = servers.queue(drain);
  let [accepted, failed] = [0, 0];
  const tell = async (what: HandedIn): Promise<void> => {
    if ('error' in what) failed += 1;
    else accepted += 1;
    await report.add(what);
  };
  inputs.listen({
    problem: (error) => tell({ source: error.file ?? '-', error }),
    unreadable: (type) => tally.unreadable(type),
  });
  try {
    for await (const what of handedIn(inputs.find(drain), queue, servers.concurrency, drain))
      await tell(what);
  } finally {
    queue.close();
    interruption.release();
  }
  const code = interruption.exitCode();
  if (accepted + failed === 0 && code === undefined && flags['allow-empty'] !== true)
    throw nothingMatched(args);
  await report.close({ total: accepted + failed, accepted, failed });
  if (!flags.quiet) for (const line of unreadableLines(tally.summary(0))) say(printable(line));
  return code ?? (failed > 0 ? 1 : 0);
}

/** What says how results are written here means nothing when there are none. */
function checkFlags(flags: BatchFlags): void {
  for (const flag of ['in-place', 'dry-run', 'prune'] as const)
    if (flags[flag] === true) throw usage(`--async without --${flag}`, 'both', `--${flag}`);
  if (flags['server-protocol'] === 'nlimage')
    throw usage('--async at servers of imgtool', 'NLImageService, which has no jobs', '--server-protocol');
}

/** Several pictures are on their way at a time; they are told of in the order in which they were found. */
async function* handedIn(
  sources: AsyncIterable<Source>,
  queue: RemoteQueue,
  concurrency: number,
  drain: AbortSignal,
): AsyncGenerator<HandedIn> {
  const limit = pLimit(concurrency);
  const waiting: Promise<HandedIn>[] = [];
  for await (const source of sources) {
    const outcome = limit(() => submitted(source, queue, drain));
    // told when its turn comes
    outcome.catch(() => undefined);
    waiting.push(outcome);
    const first = waiting.length > concurrency * 4 ? waiting.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const pending of waiting) yield await pending;
}

/** A refusal of one picture is its outcome; one that all would meet ends the run. */
async function submitted(source: Source, queue: RemoteQueue, drain: AbortSignal): Promise<HandedIn> {
  try {
    drain.throwIfAborted();
    const { input } = await localSource(source, drain);
    const image = input.kind === 'path' ? await readFile(input.path) : Buffer.from(input.bytes);
    return { source: source.name, ...(await queue.submit(image, basename(source.relative), drain)) };
  } catch (thrown) {
    const error = toImgtoolError(thrown, 'E_READ', { file: source.name });
    if (error.code === 'E_AUTH' || (error.code === 'E_USAGE' && !drain.aborted)) throw error;
    return { source: source.name, error };
  }
}

interface Figures {
  readonly total: number;
  readonly accepted: number;
  readonly failed: number;
}

/** How a run is told: ids for people and scripts, one document, or a line each. */
interface Report {
  add(what: HandedIn): Promise<void>;
  close(figures: Figures): Promise<void>;
}

function reportOf({ json, ndjson, quiet }: BatchFlags, recipe: Recipe): Report {
  if (json) {
    const document = listDocument({ recipe: recipeJson(recipe) }, 'jobs');
    return { add: (what) => document.add(what), close: (summary) => document.close({ summary }) };
  }
  const line = (value: object) => writeData(`${JSON.stringify(value)}\n`);
  if (ndjson)
    return {
      add: (what) => line({ type: 'job', ...what }),
      close: (figures) => line({ type: 'summary', ...figures }),
    };
  return {
    async add(what) {
      if ('error' in what) say(`  ${printable(failureLine(what.source, what.error))}`);
      else await writeData(`${what.id}  ${printable(what.source)}\n`);
    },
    async close({ accepted, failed }) {
      if (quiet) return;
      const refused = failed === 0 ? '' : `, ${failed} failed`;
      say(
        `${accepted} accepted${refused}; imgtool jobs wait ID... waits for them, imgtool jobs show ID tells more`,
      );
    },
  };
}

function usage(wanted: string, received: string, field: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected(wanted, received), { stage: 'plan', field });
}
