import { Args, Flags, type Interfaces } from '@oclif/core';
import type { Recipe } from '../src/recipe.js';
import { BatchCommand, inputsOf } from './batch-command.js';
import { encodingFlags, inputFlags, outputFlags, runFlags } from './flags/batch.js';
import { remoteFlags } from './flags/remote.js';
import { RunCommand } from './run.js';

const { recursive, frames, 'auto-orient': autoOrient, lenient, 'limit-pixels': limitPixels } = inputFlags;
const {
  name,
  'if-exists': ifExists,
  'on-collision': onCollision,
  verify,
  'keep-times': keepTimes,
} = outputFlags;
const { concurrency, quiet, verbose, ndjson } = runFlags;
const { op, preset, recipe } = RunCommand.flags;

const folder = (description: string) => Flags.string({ description, helpValue: 'DIR', helpGroup: 'WATCH' });
const count = (description: string, min: number, given: number) =>
  Flags.integer({
    description: `${description} [default: ${given}]`,
    min,
    default: given,
    helpValue: 'N',
    helpGroup: 'WATCH',
  });

/** Flags of watching itself. */
const watchFlags = {
  ignore: Flags.string({
    description: 'leave alone what matches, as in a .gitignore (so does a file .imgtoolignore in the folder)',
    helpValue: 'PATTERN',
    helpGroup: 'WATCH',
    multiple: true,
    multipleNonGreedy: true,
  }),
  done: folder('move originals here once their results are written'),
  failed: folder('move pictures here that cannot be processed, each with a text file that says why'),
  mirror: Flags.boolean({
    description: 'remove the results of originals that are deleted, also while it was off',
    helpGroup: 'WATCH',
    exclusive: ['done'],
  }),
  order: Flags.string({
    description: 'which waiting picture comes first',
    options: ['oldest', 'newest'],
    default: 'oldest',
    helpGroup: 'WATCH',
  }),
  once: Flags.boolean({ description: 'process what is there, then end (for cron)', helpGroup: 'WATCH' }),
  poll: Flags.boolean({
    description: 'look through the folders again and again: for NFS, SMB and container mounts',
    helpGroup: 'WATCH',
  }),
  'poll-interval': count('milliseconds between two looks with --poll', 50, 2000),
  stability: count('milliseconds that a file must stand still before it is taken', 0, 200),
  retries: count('tries for a picture that does not decode', 1, 5),
  'retry-delay': count('milliseconds before the second try; doubled for each one after', 1, 500),
  'health-port': Flags.integer({
    description: 'answer /livez, /readyz and /metrics on this port of 127.0.0.1',
    helpValue: 'PORT',
    min: 0,
    max: 65_535,
    helpGroup: 'WATCH',
  }),
} as const;

const allFlags = {
  recursive,
  frames,
  'auto-orient': autoOrient,
  lenient,
  'limit-pixels': limitPixels,
  'allow-empty': Flags.boolean({
    description: 'exit 0 when nothing matches, with --once',
    helpGroup: 'INPUT',
  }),
  out: Flags.string({
    char: 'o',
    description: 'folder for the results [default: imgtool-out/<recipe>]',
    helpValue: 'DIR',
    helpGroup: 'OUTPUT',
  }),
  name,
  'if-exists': ifExists,
  'on-collision': onCollision,
  verify,
  'keep-times': keepTimes,
  ...encodingFlags,
  op,
  preset,
  recipe,
  ...watchFlags,
  concurrency,
  quiet,
  verbose,
  ndjson,
  ...remoteFlags,
} as const;

/** What the parser makes of the flags of `imgtool watch`. */
export type WatchFlags = Interfaces.InferredFlags<typeof allFlags>;

/** What a watch is to do, from the flags and the files they name. */
export interface WatchSettings {
  readonly flags: WatchFlags;
  readonly recipe: Recipe;
  /** Files that say what is to be done, absolute. */
  readonly files: readonly string[];
}

/** Folders that keep themselves processed. */
export class WatchCommand extends BatchCommand {
  static override summary =
    'Keep folders processed: what is there and what arrives (thumbnails of 100 px unless told else)';
  static override args = {
    inputs: Args.string({
      description: 'folders to watch',
      multiple: true,
      ignoreStdin: true,
      required: false,
    }),
  };
  static override flags = allFlags;
  static override examples = [
    '<%= config.bin %> watch ./inbox',
    '<%= config.bin %> watch ./inbox --op resize:width=800 --op grayscale --out ./web',
    '<%= config.bin %> watch ./inbox --preset web --done ./originals --failed ./broken',
    '<%= config.bin %> watch ./inbox --once',
  ];

  async run(): Promise<void> {
    const parsed = await this.parse(WatchCommand);
    const { runWatch } = await import('./watch/watch-run.js');
    const { settingsFrom } = await import('./watch/settings.js');
    process.exitCode = await runWatch(inputsOf(parsed.args), async () =>
      settingsFrom(await this.configured(parsed)),
    );
  }
}
