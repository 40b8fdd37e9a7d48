import { realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Batch, runBatch } from '../src/batch.js';
import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError } from '../src/errors.js';
import { pixelGate } from '../src/gate.js';
import { WIDE_LIMITS } from '../src/limits.js';
import { processors } from '../src/machine.js';
import { openManifest, readManifest } from '../src/manifest.js';
import { defaultTemplate, nameTemplate } from '../src/naming.js';
import type { Outcome } from '../src/outcome.js';
import { type IfExists, recipeKeys } from '../src/outputs.js';
import { type Recipe, recipeJson, recipeSlug } from '../src/recipe.js';
import { newTally } from '../src/report/tally.js';
import type { Naming } from '../src/targets.js';
import { engineVersions, tuneEngine } from '../src/versions.js';
import type { BatchFlags } from './batch-command.js';
import { dryRun } from './dry-run.js';
import { type InputPlan, planInputs } from './inputs.js';
import { openReporter, type Reporter, shown } from './terminal/reporter.js';
import { onInterrupt } from './terminal/signals.js';
import { writeData } from './terminal/streams.js';

/** Pixels held at once: what two 24-megapixel progressive photographs take. */
const GATE_PIXELS = 64_000_000;

/** Runs a recipe as the flags say, and gives the exit code. */
export async function runFromFlags(
  args: readonly string[],
  flags: BatchFlags,
  recipe: Recipe,
): Promise<number> {
  checkFlags(flags, recipe);
  tuneEngine();
  const tally = newTally();
  const inputs = await planInputs(args, flags, outFolder(flags, recipe));
  const naming = await namingFrom(flags, recipe, inputs);
  if (flags['dry-run'] === true)
    return dryRun(inputs, naming, flags, await destinationFrom(flags, recipe, inputs, 'look'));
  const reporter = await openReporter(styleOf(flags), flags.verbose === true, { recipe: recipeJson(recipe) });
  return execute({ args, flags, recipe, inputs, naming, reporter, tally });
}

interface Execution {
  readonly args: readonly string[];
  readonly flags: BatchFlags;
  readonly recipe: Recipe;
  readonly inputs: InputPlan;
  readonly naming: Naming;
  readonly reporter: Reporter;
  readonly tally: ReturnType<typeof newTally>;
}

async function execute({ args, flags, recipe, inputs, naming, reporter, tally }: Execution): Promise<number> {
  const started = performance.now();
  const interruption = onInterrupt();
  const destination = await destinationFrom(flags, recipe, inputs, 'make');
  const tell = async (outcome: Outcome): Promise<void> => {
    tally.add(outcome);
    await reporter.outcome(withShownPaths(outcome));
  };
  inputs.listen({
    problem: (error) => tell({ source: error.file ?? '-', status: 'failed', error }),
    unreadable: (type) => tally.unreadable(type),
  });
  try {
    await runBatch(batchFrom(flags, inputs, naming, destination, interruption.drain), tell);
  } finally {
    interruption.release();
    if (destination.kind === 'folder') await destination.manifest?.close();
  }
  const summary = tally.summary(performance.now() - started);
  await reporter.close(summary, where(destination));
  if (summary.total === 0 && interruption.exitCode() === undefined) return nothingMatched(args, flags);
  return interruption.exitCode() ?? (summary.failed > 0 ? 1 : 0);
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

function outFolder(flags: BatchFlags, recipe: Recipe): string | undefined {
  if (flags['in-place'] === true || flags.out === '-') return undefined;
  return resolve(flags.out ?? `imgtool-out/${recipeSlug(recipe)}`);
}

async function namingFrom(flags: BatchFlags, recipe: Recipe, inputs: InputPlan): Promise<Naming> {
  return {
    recipe,
    template: nameTemplate(flags.name ?? defaultTemplate(recipe)),
    onCollision: flags['on-collision'] === 'number' ? 'number' : 'fail',
    // originals replaced where they stand cannot clash
    oneRoot: inputs.oneRoot || flags['in-place'] === true || flags.out === '-',
    prefixes:
      inputs.directories.size > 1
        ? new Map([...inputs.directories].map(([index, path]) => [index, basename(path)]))
        : new Map(),
  };
}

async function destinationFrom(
  flags: BatchFlags,
  recipe: Recipe,
  inputs: InputPlan,
  access: 'look' | 'make',
): Promise<Destination> {
  if (flags['in-place'] === true) return { kind: 'in-place' };
  const path = outFolder(flags, recipe);
  if (path === undefined) return standardOutput();
  if (access === 'make') await madeFolder(path);
  const manifest =
    flags.manifest === false
      ? undefined
      : await (access === 'make' ? openManifest(path) : readManifest(path));
  return {
    kind: 'folder',
    path,
    manifest,
    ifExists: (flags['if-exists'] as IfExists | undefined) ?? 'auto',
    force: flags.force === true,
    verify: flags.verify === true,
    keys: recipeKeys(recipe, engineVersions(), flags.lenient === true),
    inputs: await Promise.all(inputs.roots.map((root) => realpath(root).catch(() => root))),
  };
}

/** Says at once that an output folder cannot be one, before any picture is read. */
async function madeFolder(path: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (facts !== undefined && !facts.isDirectory()) {
    throw new ImgtoolError('E_USAGE', expected('a folder for --out', `the file ${shown(path)}`), {
      stage: 'plan',
      field: 'out',
    });
  }
}

function standardOutput(): Destination {
  let taken = false;
  return {
    kind: 'bytes',
    async take(image) {
      if (taken)
        throw new ImgtoolError('E_USAGE', expected('one input for --out -', 'several'), { stage: 'write' });
      taken = true;
      await writeData(image.bytes);
    },
  };
}

function batchFrom(
  flags: BatchFlags,
  inputs: InputPlan,
  naming: Naming,
  destination: Destination,
  drain: AbortSignal,
): Batch {
  const concurrency = flags.concurrency ?? processors() + 1;
  const gate = pixelGate(Math.max(GATE_PIXELS, flags['limit-pixels'] ?? 0));
  return {
    find: () => inputs.find(drain),
    naming,
    destination,
    concurrency: destination.kind === 'bytes' ? 1 : concurrency,
    keepTimes: flags['keep-times'] === true,
    maxErrors: flags['max-errors'] ?? (flags['on-error'] === 'stop' ? 1 : Number.POSITIVE_INFINITY),
    drain,
    process: {
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
    },
  };
}

function styleOf({ quiet, json, ndjson }: BatchFlags): 'text' | 'quiet' | 'json' | 'ndjson' {
  return json === true ? 'json' : ndjson === true ? 'ndjson' : quiet === true ? 'quiet' : 'text';
}

function where(destination: Destination): string | undefined {
  if (destination.kind === 'folder') return `${shown(destination.path)}/   (originals untouched)`;
  return destination.kind === 'in-place' ? 'originals replaced' : undefined;
}

function withShownPaths(outcome: Outcome): Outcome {
  if (outcome.status === 'done')
    return {
      ...outcome,
      outputs: outcome.outputs.map((output) => ({ ...output, path: shown(output.path) })),
    };
  if (outcome.status === 'skipped')
    return { ...outcome, outputs: outcome.outputs.map(({ path }) => ({ path: shown(path) })) };
  return outcome;
}

function nothingMatched(args: readonly string[], flags: BatchFlags): number {
  if (flags['allow-empty'] === true) return 0;
  throw new ImgtoolError('E_NOTHING_MATCHED', expected('pictures to process', `none in ${args.join(' ')}`), {
    stage: 'find',
  });
}
