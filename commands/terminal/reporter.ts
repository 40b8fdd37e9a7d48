import { isAbsolute, relative } from 'node:path';
import type { Outcome } from '../../src/outcome.js';
import type { Summary } from '../../src/report/tally.js';
import { outcomeLine, summaryLines } from '../../src/report/text.js';
import { type LiveLine, liveLine } from './live.js';
import { hasColour, isTerminal, printable, say, writeData } from './streams.js';

/** How a run tells what happens. */
export type Style = 'text' | 'quiet' | 'json' | 'ndjson';

/** Tells people on standard error and programs on standard output what a run does. */
export interface Reporter {
  /** How many inputs there will be, once known. */
  expect(total: number): void;
  outcome(outcome: Outcome): Promise<void>;
  close(summary: Summary, where: string | undefined): Promise<void>;
}

/** The version of the JSON report's form; it grows only by new fields. */
export const REPORT_SCHEMA = 'imgtool.report/1';

/** A reporter for one run. */
export async function openReporter(
  style: Style,
  verbose: boolean,
  head: Readonly<Record<string, unknown>>,
): Promise<Reporter> {
  const talk = await talker(style, verbose);
  if (style === 'json') return jsonReporter(head, talk);
  if (style === 'ndjson') return ndjsonReporter(talk);
  return talk;
}

async function talker(style: Style, verbose: boolean): Promise<Reporter> {
  const live = style === 'text' && isTerminal() ? await liveLine() : undefined;
  return {
    expect: (total) => live?.expect(total),
    async outcome(outcome) {
      const line =
        style === 'quiet' && outcome.status !== 'failed' ? undefined : outcomeLine(outcome, verbose);
      live?.progress(outcome);
      if (line !== undefined) between(live, () => say(`  ${printable(line)}`));
    },
    async close(summary, where) {
      live?.stop();
      if (style === 'quiet') return;
      for (const line of summaryLines(summary, where)) say(coloured(printable(line)));
    },
  };
}

function between(live: LiveLine | undefined, act: () => void): void {
  live?.pause();
  act();
  live?.resume();
}

function coloured(line: string): string {
  if (!hasColour()) return line;
  return line.replace(/^✔/, '\u001b[32m✔\u001b[39m').replace(/^✖/, '\u001b[31m✖\u001b[39m');
}

/** One document, its outcomes written as they come, so that a million of them need no memory. */
async function jsonReporter(head: Readonly<Record<string, unknown>>, talk: Reporter): Promise<Reporter> {
  const opening = JSON.stringify({ schema: REPORT_SCHEMA, ...head }).slice(0, -1);
  let separator = `${opening},"outcomes":[\n`;
  return {
    expect: (total) => talk.expect(total),
    async outcome(outcome) {
      await writeData(separator + JSON.stringify(outcome));
      separator = ',\n';
      await talk.outcome(outcome);
    },
    async close(summary, where) {
      await writeData(`${separator === ',\n' ? '' : separator}\n],"summary":${JSON.stringify(summary)}}\n`);
      await talk.close(summary, where);
    },
  };
}

function ndjsonReporter(talk: Reporter): Reporter {
  return {
    expect: (total) => talk.expect(total),
    async outcome(outcome) {
      await writeData(`${JSON.stringify({ type: 'outcome', ...outcome })}\n`);
      await talk.outcome(outcome);
    },
    async close(summary, where) {
      await writeData(`${JSON.stringify({ type: 'summary', ...summary })}\n`);
      await talk.close(summary, where);
    },
  };
}

/** A path as a person would type it: relative to the current folder where it lies inside it. */
export function shown(path: string): string {
  const way = relative(process.cwd(), path);
  return way === '' ? '.' : way.startsWith('..') || isAbsolute(way) ? path : way;
}
