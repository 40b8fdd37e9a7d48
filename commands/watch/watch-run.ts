import { resolve } from 'node:path';
import { ERRORS, expected, ImgtoolError } from '../../src/errors.js';
import { realWay } from '../../src/io/real.js';
import type { Remote } from '../../src/remote.js';
import { newTally } from '../../src/report/tally.js';
import { tuneEngine } from '../../src/versions.js';
import {
  type Order,
  startWatch,
  type Watch,
  type WatchEvent,
  type WatchedFolder,
  type WatchOptions,
  type WatchState,
  type WatchWork,
} from '../../src/watch.js';
import { concurrencyFrom, serversOf } from '../batch-run.js';
import { DEFAULT_OUT } from '../inputs.js';
import type { Servers } from '../remote-run.js';
import { onInterrupt } from '../terminal/signals.js';
import type { WatchFlags, WatchSettings } from '../watch.js';
import { foldersFrom } from './folders.js';
import { openHealth } from './health.js';
import { followSettings } from './reload.js';
import { openTeller } from './teller.js';
import { workFrom } from './work.js';

/** Pictures known and waiting: some 2 MB. More of them are left in their folders until there is room. */
const CAPACITY = 4096;

/** How a watch stands before it is one. */
const STARTING: WatchState = { waiting: 0, running: 0, folders: 0, ready: false };

/** Watches as the settings say until a signal ends it, and gives the exit code: 0, with `--once` that of a batch. */
export async function runWatch(
  args: readonly string[],
  settle: () => Promise<WatchSettings>,
): Promise<number> {
  const settings = await settle();
  const { flags } = settings;
  const folders = await foldersFrom(args);
  tuneEngine();
  const servers = await serversOf(flags, settings.recipe);
  const local = await workFrom(settings, folders);
  const started = performance.now();
  const tally = newTally();
  const codes = new Set<number>();
  const interruption = onInterrupt();
  const remote = servers?.open(interruption.drain, !flags.once);
  const work = remote === undefined ? local : elsewhere(local, remote);
  let watch: Watch | undefined;
  const state = (): WatchState => watch?.state() ?? STARTING;
  const teller = await openTeller(flags, state);
  const tell = async (event: WatchEvent): Promise<void> => {
    if (event.type === 'outcome') {
      tally.add(event.outcome);
      if (event.outcome.status === 'failed') codes.add(ERRORS[event.outcome.error.code].exit);
    }
    if (event.type === 'unreadable') tally.unreadable(event.kind);
    await teller.event(event);
  };
  const health = await openHealth(flags['health-port'], {
    state,
    summary: () => tally.summary(performance.now() - started),
  });
  await teller.start({ folders, out: work.destination.path, health: health?.port });
  const running = startWatch(await optionsFrom(flags, folders, work, servers), tell);
  watch = running;
  // waited for below: until then its end is no unhandled rejection
  running.ended.catch(() => undefined);
  interruption.drain.addEventListener('abort', () => running.stop());
  if (interruption.drain.aborted) running.stop();
  const following = await followSettings({ settings, folders, work, settle, watch: running, teller });
  try {
    await running.ended;
  } finally {
    await following.close();
    await health?.close();
    remote?.close();
    await work.destination.manifest?.close();
    teller.stop();
    interruption.release();
  }
  const summary = tally.summary(performance.now() - started);
  const interrupted = interruption.exitCode();
  if (flags.once && summary.total === 0 && interrupted === undefined && !flags['allow-empty'])
    throw nothingMatched(args);
  await teller.summary(summary, work.destination.path);
  return flags.once ? (interrupted ?? Math.max(0, ...codes)) : 0;
}

function nothingMatched(args: readonly string[]): ImgtoolError {
  return new ImgtoolError('E_NOTHING_MATCHED', expected('pictures to process', `none in ${args.join(' ')}`), {
    stage: 'find',
  });
}

/** The same work, its pictures made by servers. */
function elsewhere(work: WatchWork, remote: Remote): WatchWork {
  return { ...work, process: { ...work.process, elsewhere: remote.elsewhere } };
}

async function optionsFrom(
  flags: WatchFlags,
  folders: readonly WatchedFolder[],
  work: WatchWork,
  servers: Servers | undefined,
): Promise<WatchOptions> {
  const own = [work.destination.path, DEFAULT_OUT, flags.done, flags.failed].filter(
    (path) => path !== undefined,
  );
  return {
    folders,
    work,
    recursive: flags.recursive !== false,
    concurrency: servers?.concurrency ?? concurrencyFrom(flags),
    order: flags.order as Order,
    capacity: CAPACITY,
    stability: flags.stability,
    tries: flags.retries,
    retryDelay: flags['retry-delay'],
    once: flags.once,
    mirror: flags.mirror,
    ignore: flags.ignore ?? [],
    excluded: await Promise.all(own.map((path) => realWay(resolve(path)))),
    ...(flags.poll && { poll: flags['poll-interval'] }),
    ...(flags.failed !== undefined && { failed: resolve(flags.failed) }),
    ...(flags.done !== undefined && { done: resolve(flags.done) }),
  };
}
