import type { ImgtoolError } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { bytesText, counted, durationText } from './figures.js';
import type { Summary } from './tally.js';

/** Who a summary is for: people at a terminal, a log of plain lines, or a program that has its own report. */
export type Reader = 'terminal' | 'log' | 'program';

/** One line for an outcome, or undefined when it is not worth one without `--verbose`. */
export function outcomeLine(outcome: Outcome, verbose: boolean): string | undefined {
  if (outcome.status === 'failed') return failureLine(outcome.source, outcome.error);
  if (outcome.status === 'pruned') return prunedLine(outcome, verbose);
  if (!verbose) return undefined;
  if (outcome.status === 'skipped') return `skipped ${outcome.source}: ${outcome.reason}`;
  const notes = outcome.notes.length > 0 ? ` (${outcome.notes.join('; ')})` : '';
  const made = outcome.outputs.map(
    ({ path, width, height, bytes }) => `${path} ${width}x${height} ${bytesText(bytes)}`,
  );
  return `done ${outcome.source} → ${made.join(', ')}${notes}`;
}

function prunedLine(outcome: Outcome & { status: 'pruned' }, verbose: boolean): string | undefined {
  const [output] = outcome.outputs;
  if (outcome.action === 'kept')
    return `kept ${output?.path}: its input is gone, but somebody changed it since`;
  return verbose ? `removed ${output?.path}: its input is gone` : undefined;
}

/** The line for an input that failed: its name, the stage, the code, what was expected and received. */
export function failureLine(source: string, { stage, code, message }: ImgtoolError): string {
  return `failed ${source}: ${stage === undefined ? '' : `${stage}, `}${code}: ${message}`;
}

/** An error that ends a command, with the flag, field or file that it is about. */
export function errorText({ code, field, file, message }: ImgtoolError): string {
  const place = [file, field].filter((part) => part !== undefined).map((part) => `${part}: `);
  return `${code}: ${place.join('')}${message}`;
}

/** The closing lines of a run; `where` tells where the results are. */
export function summaryLines(summary: Summary, where: string | undefined, reader: Reader): string[] {
  const lines = [reader === 'terminal' ? headline(summary) : plainLine(summary, reader)];
  lines.push(...unreadableLines(summary));
  if (reader === 'program') return lines;
  for (const [note, count] of Object.entries(summary.notes))
    lines.push(`  ${counted(count, 'image')}: ${note}`);
  if (where !== undefined && summary.done + summary.skipped > 0) lines.push(`  ${where}`);
  return lines;
}

/** Names the pictures that were left out because this build does not read their type; no line when there are none. */
export function unreadableLines({ unreadable }: Pick<Summary, 'unreadable'>): string[] {
  const types = Object.entries(unreadable).map(([type, count]) => `${count} ${type.toUpperCase()}`);
  return types.length === 0 ? [] : [`  not read by this build: ${types.join(', ')}`];
}

function headline(summary: Summary): string {
  const { total, done, failed } = summary;
  const parts = [
    `${done} of ${counted(total, 'image')}`,
    ...rest(summary),
    ...(done > 0 ? [sizes(summary)] : []),
    durationText(summary.ms),
  ];
  return `${failed > 0 ? '✖' : '✔'} ${parts.join(' · ')}`;
}

function plainLine(summary: Summary, reader: Reader): string {
  const counts = [`${summary.done} done`, ...rest(summary)].join(', ');
  if (reader === 'program') return `  ${counts}`;
  const facts = [counts, ...(summary.done > 0 ? [sizes(summary)] : []), durationText(summary.ms)];
  return `  ${facts.join(' · ')}`;
}

function rest({ skipped, failed, pruned }: Summary): string[] {
  const counts = { skipped, failed, removed: pruned };
  return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
}

function sizes({ bytesIn, bytesOut }: Summary): string {
  return `${bytesText(bytesIn)} → ${bytesText(bytesOut)}`;
}
