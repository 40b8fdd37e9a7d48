import type { Outcome } from '../outcome.js';
import { bytesText, durationText } from './figures.js';
import type { Summary } from './tally.js';

/** One line for an outcome, or undefined when it is not worth one without `--verbose`. */
export function outcomeLine(outcome: Outcome, verbose: boolean): string | undefined {
  if (outcome.status === 'failed') {
    const { stage, code, message } = outcome.error;
    return `failed ${outcome.source}: ${stage === undefined ? '' : `${stage}, `}${code}: ${message}`;
  }
  if (outcome.status === 'skipped')
    return verbose ? `skipped ${outcome.source}: ${outcome.reason}` : undefined;
  const note = outcome.notes.length > 0 ? ` (${outcome.notes.join('; ')})` : '';
  if (!verbose) return note === '' ? undefined : `note ${outcome.source}:${note}`;
  const [output] = outcome.outputs;
  const made =
    output === undefined
      ? ''
      : ` → ${output.path} ${output.width}x${output.height} ${bytesText(output.bytes)}`;
  return `done ${outcome.source}${made}${note}`;
}

/** The closing lines of a run. */
export function summaryLines(summary: Summary, where: string | undefined): string[] {
  const { total, done, skipped, failed, bytesIn, bytesOut, ms } = summary;
  const mark = failed > 0 ? '✖' : '✔';
  const sizes = done > 0 ? ` · ${bytesText(bytesIn)} → ${bytesText(bytesOut)}` : '';
  const rest = [
    skipped > 0 ? `${skipped} unchanged or kept` : '',
    failed > 0 ? `${failed} failed` : '',
  ].filter((part) => part !== '');
  const more = rest.length > 0 ? ` · ${rest.join(', ')}` : '';
  const lines = [`${mark} ${done} of ${total} images${sizes}${more} · ${durationText(ms)}`];
  const types = Object.entries(summary.unreadable).map(([type, count]) => `${count} ${type.toUpperCase()}`);
  if (types.length > 0) lines.push(`  not read by this build: ${types.join(', ')}`);
  if (where !== undefined && done + skipped > 0) lines.push(`  ${where}`);
  return lines;
}
