import { isAbsolute, relative } from 'node:path';
import type { Outcome } from '../../src/outcome.js';
import { outcomeRow } from '../../src/report/rows.js';
import type { Summary } from '../../src/report/tally.js';
import { outcomeLine, type Reader, summaryLines } from '../../src/report/text.js';
import { listDocument } from './document.js';
import { liveLine } from './live.js';
import { hasColour, isTerminal, printable, say, writeData } from './streams.js';

/** How a run tells what happens. */
export type Style = 'text' | 'json' | 'ndjson';

/** How much a run says to people: errors alone, the usual, or a line for each input. */
export type Volume = 'quiet' | 'normal' | 'verbose';

/** What may have cut a run short. */
export interface Ending {
  /** Whether a signal ended it before all inputs were taken. */
  readonly interrupted?: boolean;
  /** So many inputs failed that no more were taken. */
  readonly stopped?: boolean;
}

/** Tells people on standard error and programs on standard output what a run does. */
export interface Reporter {
  /** Whether anyone sees how many inputs there will be. */
  readonly wantsTotal: boolean;
  /** How many inputs there will be, once known. */
  expect(total: number): void;
  outcome(outcome: Outcome): Promise<void>;
  close(summary: Summary, where: string | undefined, ending?: Ending): Promise<void>;
}

/** A reporter for one run. */
export async function openReporter(style: Style, volume: Volume, head: object): Promise<Reporter> {
  const talk = await talker(style, volume);
  if (style === 'json') return jsonReporter(head, talk);
  return style === 'ndjson' ? ndjsonReporter(talk) : talk;
}

async function talker(style: Style, volume: Volume): Promise<Reporter> {
  const program = style !== 'text';
  // data that goes to the same terminal would be torn apart by a live line
  const seen = isTerminal() && volume !== 'quiet' && !(program && process.stdout.isTTY);
  const live = seen ? await liveLine() : undefined;
  const reader: Reader = program ? 'program' : isTerminal() ? 'terminal' : 'log';
  return {
    wantsTotal: live !== undefined,
    expect: (total) => live?.expect(total),
    async outcome(outcome) {
      live?.progress(outcome);
      const line = outcomeLine(outcome, volume === 'verbose');
      if (line !== undefined) say(`  ${printable(line)}`);
    },
    async close(summary, where, { interrupted = false, stopped = false } = {}) {
      live?.stop();
      if (volume === 'quiet') return;
      for (const line of summaryLines(summary, where, reader)) say(coloured(printable(line)));
      if (interrupted) say('  interrupted: inputs not taken yet were left alone');
      else if (stopped)
        say('  stopped by --on-error stop or --max-errors: inputs not taken yet were left alone');
    },
  };
}

function coloured(line: string): string {
  if (!hasColour()) return line;
  return line.replace(/^✔/, '\u001b[32m✔\u001b[39m').replace(/^✖/, '\u001b[31m✖\u001b[39m');
}

function jsonReporter(head: object, talk: Reporter): Reporter {
  const document = listDocument(head, 'outcomes');
  return {
    ...talk,
    async outcome(outcome) {
      await document.add(outcomeRow(outcome));
      await talk.outcome(outcome);
    },
    async close(summary, where, ending = {}) {
      await document.close({ summary, ...shownEnding(ending) });
      await talk.close(summary, where, ending);
    },
  };
}

function ndjsonReporter(talk: Reporter): Reporter {
  const line = (type: string, row: object): Promise<void> =>
    writeData(`${JSON.stringify({ type, ...row })}\n`);
  return {
    ...talk,
    async outcome(outcome) {
      await line('outcome', outcomeRow(outcome));
      await talk.outcome(outcome);
    },
    async close(summary, where, ending = {}) {
      await line('summary', { ...summary, ...shownEnding(ending) });
      await talk.close(summary, where, ending);
    },
  };
}

function shownEnding({ interrupted = false, stopped = false }: Ending): object {
  return { ...(interrupted && { interrupted }), ...(stopped && { stopped }) };
}

/** A path as a person would type it: relative to the current folder where it lies inside it. */
export function shown(path: string): string {
  const way = relative(process.cwd(), path);
  return way === '' ? '.' : way.startsWith('..') || isAbsolute(way) ? path : way;
}
