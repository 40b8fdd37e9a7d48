import { basename, join } from 'node:path';
import { type Batch, runBatch } from '../src/batch.js';
import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { pixelGate } from '../src/gate.js';
import type { Source } from '../src/io/source.js';
import { WIDE_LIMITS } from '../src/limits.js';
import { processors } from '../src/machine.js';
import { defaultTemplate, fixedName, nameTemplate } from '../src/naming.js';
import type { Outcome } from '../src/outcome.js';
import { surveyOf } from '../src/overlap.js';
import type { ProcessOptions } from '../src/process.js';
import { prune } from '../src/prune.js';
import { type Recipe, recipeJson } from '../src/recipe.js';
import type { Remote } from '../src/remote.js';
import { newTally } from '../src/report/tally.js';
import type { Naming } from '../src/targets.js';
import { tuneEngine } from '../src/versions.js';
import type { BatchFlags } from './batch-command.js';
import { chosen } from './chosen.js';
import { counting } from './counting.js';
import { destinationFrom, type Out, outFrom, recipeFor } from './destination.js';
import { dryRun } from './dry-run.js';
import { type FailureCount, failureCount, isForgiven, mostErrors } from './failures.js';
import { type InputPlan, planInputs } from './inputs.js';
import type { ServerFlags, Servers } from './remote-run.js';
import { openReporter, type Style, shown, type Volume } from './terminal/reporter.js';
import { onInterrupt } from './terminal/signals.js';

/** Pixels held at once: what two 24-megapixel progressive photographs take. */
const GATE_PIXELS = 64_000_000;

/** Runs a recipe as the flags say, and gives the exit code. */
export async function runFromFlags(
  args: readonly string[],
  flags: BatchFlags,
  given: Recipe,
): Promise<number> {
  checkFlags(flags, given);
  tuneEngine();
  const out = await outFrom(args, flags, given);
  const recipe = recipeFor(out, given);
  const servers = await serversOf(flags, recipe);
  const inputs = await planInputs(args, flags, out.kind === 'folder' ? out.path : undefined);
  const access = flags['dry-run'] === true ? 'look' : 'make';
  const destination = await destinationFrom(out, flags, recipe, inputs.roots, access);
  const naming = namingFrom(out, flags, recipe, inputs, destination);
  const find = (drain: AbortSignal) => chosen(inputs.find(drain), destination);
  if (flags['dry-run'] === true) return dryRun({ inputs, find, naming, flags, destination });
  return execute({ args, flags, out, inputs, find, naming, destination, servers });
}

interface Execution {
  readonly args: readonly string[];
  readonly flags: BatchFlags;
  readonly out: Out;
  readonly inputs: InputPlan;
  readonly naming: Naming;
  readonly destination: Destination;
  readonly servers: Servers | undefined;
  find(drain: AbortSignal): AsyncIterable<Source>;
}

/** The servers of `--server`, or undefined when pictures are processed here; what speaks to them loads with them. */
export async function serversOf(
  { server, ...flags }: ServerFlags,
  recipe: Recipe,
): Promise<Servers | undefined> {
  if (server === undefined) return undefined;
  const { serversFrom } = await import('./remote-run.js');
  return serversFrom({ ...flags, server }, recipe);
}

async function execute(execution: Execution): Promise<number> {
  const { args, flags, out, inputs, naming, destination } = execution;
  const started = performance.now();
  const tally = newTally();
  const head = { recipe: recipeJson(naming.recipe) };
  const reporter = await openReporter(styleOf(flags), volumeOf(flags), head);
  const count = counting(execution.find, reporter);
  const interruption = onInterrupt();
  const failures = failureCount(flags);
  const drain = AbortSignal.any([interruption.drain, failures.tooMany]);
  const remote = execution.servers?.open(drain);
  const tell = async (outcome: Outcome): Promise<void> => {
    tally.add(outcome);
    if (outcome.status === 'failed') failures.add(outcome.error);
    await reporter.outcome(withShownPaths(outcome));
    count.look();
  };
  inputs.listen({
    problem: async (error) => {
      if (!isForgiven(error, flags)) await tell({ source: error.file ?? '-', status: 'failed', error });
    },
    unreadable: (type) => tally.unreadable(type),
  });
  try {
    await runBatch(batchFrom({ ...execution, find: count.find }, drain, remote), tell);
    // inputs that cannot be found may be on a disk that is away
    if (flags.prune === true && !failures.has('E_NOT_FOUND') && !drain.aborted)
      await pruneFolder(destination, tell);
  } finally {
    count.stop();
    remote?.close();
    interruption.release();
    if (destination.kind === 'folder') await closed(destination, failures, tell);
  }
  const code = interruption.exitCode();
  const summary = tally.summary(performance.now() - started);
  if (summary.total === 0 && code === undefined && flags['allow-empty'] !== true) throw nothingMatched(args);
  await reporter.close(summary, where(out), {
    interrupted: code !== undefined,
    stopped: failures.tooMany.aborted,
  });
  return code ?? failures.exitCode(summary.total);
}

/** Removes the results of inputs that are gone, and tells of each. */
async function pruneFolder(
  destination: Destination,
  tell: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  if (destination.kind !== 'folder' || destination.manifest === undefined) return;
  for await (const { path, source, action } of prune(destination.path, destination.manifest)) {
    await tell({ source, status: 'pruned', action, outputs: [{ path }] });
  }
}

/** Closes the manifest; what cannot be remembered costs the next run time, and is told as a failure of its own. */
async function closed(
  { manifest, path }: Destination & { kind: 'folder' },
  failures: FailureCount,
  tell: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  try {
    await manifest?.close();
  } catch (thrown) {
    const error = toImgtoolError(thrown, 'E_MANIFEST', { stage: 'write', file: path });
    // a full disk that pictures met has been told
    if (!failures.has(error.code)) await tell({ source: shown(path), status: 'failed', error });
  }
}

function checkFlags(flags: BatchFlags, recipe: Recipe): void {
  const alone = (flag: string, rivals: readonly (string | undefined | false)[]): void => {
    const rival = rivals.find((name) => name !== undefined && name !== false);
    if (rival !== undefined)
      throw new ImgtoolError('E_USAGE', expected(`--${flag} without ${rival}`, 'both'), { stage: 'plan' });
  };
  if (flags['in-place'] === true) {
    alone('in-place', [
      flags.out !== undefined && '--out',
      flags.name !== undefined && '--name',
      recipe.outputs[0].format !== 'keep' && '--format',
    ]);
  }
  if (flags.out === '-')
    alone('out -', [flags.json === true && '--json', flags.ndjson === true && '--ndjson']);
}

/** How the flags have results named; with several directories each keeps its own name in front. */
export function namingFrom(
  out: Out,
  flags: Pick<BatchFlags, 'name' | 'on-collision'>,
  recipe: Recipe,
  inputs: Pick<InputPlan, 'directories' | 'oneRoot'>,
  destination: Destination,
): Naming {
  const { directories, oneRoot } = inputs;
  return {
    recipe,
    template: out.kind === 'file' ? fixedName(out.name) : nameTemplate(flags.name ?? defaultTemplate(recipe)),
    onCollision: flags['on-collision'] === 'number' ? 'number' : 'fail',
    // originals replaced where they stand cannot clash
    oneRoot: oneRoot || out.kind === 'in-place' || out.kind === 'stdout',
    prefixes:
      directories.size > 1
        ? new Map([...directories].map(([index, path]) => [index, basename(path)]))
        : new Map(),
    ...(destination.kind === 'folder' && { survey: surveyOf(destination.inputs) }),
  };
}

function batchFrom(
  { flags, naming, destination, servers, find }: Execution,
  drain: AbortSignal,
  remote: Remote | undefined,
): Batch {
  return {
    find: () => find(drain),
    naming,
    destination,
    concurrency: destination.kind === 'bytes' ? 1 : (servers?.concurrency ?? concurrencyFrom(flags)),
    keepTimes: flags['keep-times'] === true,
    maxErrors: mostErrors(flags),
    drain,
    process: { ...processFrom(flags), ...(remote && { elsewhere: remote.elsewhere }) },
  };
}

/** Pictures in flight. */
export function concurrencyFrom({ concurrency }: Pick<BatchFlags, 'concurrency'>): number {
  return concurrency ?? processors() + 1;
}

/** How pictures are processed, with one bound on the pixels that all of them hold at once. */
export function processFrom(flags: Pick<BatchFlags, 'limit-pixels' | 'lenient'>): ProcessOptions {
  const gate = pixelGate(Math.max(GATE_PIXELS, flags['limit-pixels'] ?? 0));
  return {
    limits: {
      ...WIDE_LIMITS,
      ...(flags['limit-pixels'] !== undefined && {
        pixels: flags['limit-pixels'],
        outputPixels: flags['limit-pixels'],
      }),
    },
    lenient: flags.lenient === true,
    threads: processors(),
    reserve: (pixels) => gate.reserve(pixels),
  };
}

function styleOf({ json, ndjson }: BatchFlags): Style {
  return json === true ? 'json' : ndjson === true ? 'ndjson' : 'text';
}

function volumeOf({ quiet, verbose }: BatchFlags): Volume {
  return quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal';
}

function where(out: Out): string | undefined {
  if (out.kind === 'folder') return `${shown(out.path)}/   (originals untouched)`;
  if (out.kind === 'file') return shown(join(out.path, out.name));
  return out.kind === 'in-place' ? 'originals replaced' : undefined;
}

/** The outcome with the paths of results as a person would type them. */
export function withShownPaths(outcome: Outcome): Outcome {
  if (outcome.status === 'done')
    return {
      ...outcome,
      outputs: outcome.outputs.map((output) => ({ ...output, path: shown(output.path) })),
    };
  if (outcome.status === 'skipped' || outcome.status === 'pruned')
    return { ...outcome, outputs: outcome.outputs.map(({ path }) => ({ path: shown(path) })) };
  return outcome;
}

/** The refusal of arguments that name no picture. */
export function nothingMatched(args: readonly string[]): ImgtoolError {
  const received = args.length === 0 ? 'none in the list' : `none in ${args.join(' ')}`;
  return new ImgtoolError('E_NOTHING_MATCHED', expected('pictures to process', received), { stage: 'find' });
}
