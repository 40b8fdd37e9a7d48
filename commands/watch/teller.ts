import { outcomeRow } from '../../src/report/rows.js';
import type { Summary } from '../../src/report/tally.js';
import { errorText, outcomeLine, summaryLines } from '../../src/report/text.js';
import type { WatchEvent, WatchedFolder, WatchState } from '../../src/watch.js';
import { withShownPaths } from '../batch-run.js';
import { shown } from '../terminal/reporter.js';
import { isTerminal, printable, say, writeData } from '../terminal/streams.js';
import type { WatchFlags } from '../watch.js';
import { eventLine } from './lines.js';
import { statusLine } from './status.js';

/** What is watched, and where the results go; absolute paths. */
export interface Beginning {
  readonly folders: readonly WatchedFolder[];
  readonly out: string;
  /** The port of the health answers, when there are any. */
  readonly health: number | undefined;
}

/** Tells people on standard error and programs on standard output what a watch does. */
export interface Teller {
  start(beginning: Beginning): Promise<void>;
  event(event: WatchEvent): Promise<void>;
  /** The recipe or config file changed. */
  settings(
    change: { readonly taken: true } | { readonly taken: false; readonly reason: string },
  ): Promise<void>;
  /** Takes the status line away. */
  stop(): void;
  summary(summary: Summary, out: string): Promise<void>;
}

/** A teller as the flags have it: lines for people, JSON lines for programs, a status line on a terminal. */
export async function openTeller(flags: WatchFlags, state: () => WatchState): Promise<Teller> {
  const program = flags.ndjson === true;
  const talks = flags.quiet !== true && !program;
  const live = talks && isTerminal() ? await statusLine(state) : undefined;
  const talk = (line: string | undefined): void => {
    if (line !== undefined && talks) say(printable(line));
  };
  const write = async (row: object): Promise<void> => {
    if (program) await writeData(`${JSON.stringify(row)}\n`);
  };
  return {
    async start({ folders, out, health }) {
      for (const { path } of folders) talk(`watching    ${path}`);
      talk(`results in  ${out}`);
      if (health !== undefined) talk(`health on   http://127.0.0.1:${health}/readyz`);
      await write({
        type: 'watching',
        folders: folders.map(({ path }) => path),
        out,
        ...(health && { health }),
      });
    },
    async event(event) {
      live?.event(event);
      await write(rowOf(event));
      const isTrouble =
        event.type === 'problem' || (event.type === 'outcome' && event.outcome.status === 'failed');
      if (talks) talk(lineOf(event, flags));
      else if (isTrouble) say(printable(lineOf(event, { ...flags, verbose: false }) ?? ''));
    },
    async settings(change) {
      await write({ type: 'settings', ...change });
      if (change.taken) talk('  took up the changed recipe: all pictures are made again');
      else say(printable(`  kept to the recipe as it was: ${change.reason}`));
    },
    stop: () => live?.stop(),
    async summary(summary, out) {
      await write({ type: 'summary', ...summary });
      for (const line of summaryLines(summary, `${shown(out)}/`, isTerminal() ? 'terminal' : 'log'))
        talk(line);
    },
  };
}

function lineOf(
  event: WatchEvent,
  how: { readonly verbose: boolean; readonly once: boolean },
): string | undefined {
  if (event.type === 'problem') return `imgtool: ${errorText(event.error)}`;
  if (event.type !== 'outcome') return eventLine(event, how);
  const outcome = withShownPaths(event.outcome);
  const line = outcome.status === 'skipped' && !how.verbose ? undefined : outcomeLine(outcome, true);
  return line && `  ${line}`;
}

function rowOf(event: WatchEvent): object {
  if (event.type === 'outcome') return { type: 'outcome', ...outcomeRow(withShownPaths(event.outcome)) };
  if (event.type === 'moved' || event.type === 'removed') return { ...event, path: shown(event.path) };
  return event;
}
