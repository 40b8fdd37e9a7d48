import type { Outcome } from '../../src/outcome.js';
import { type Progress, progressText } from '../../src/report/progress.js';
import { drawnLine } from './drawn-line.js';
import { hasColour, printable } from './streams.js';

/** A line on the terminal that shows how far a run is. */
export interface LiveLine {
  progress(outcome: Outcome): void;
  /** How many inputs there will be, once known. */
  expect(total: number): void;
  stop(): void;
}

/** Cells that the spinner takes, and those where a terminal writes `^C` and would break the line. */
const MARGIN = 5;

/** Starts a live line on standard error; whatever else is written there meanwhile goes above it. */
export async function liveLine(): Promise<LiveLine> {
  const progress: Progress = { count: 0, bytes: 0, total: undefined, ms: 0, current: '' };
  const started = performance.now();
  const text = (): string => {
    progress.ms = performance.now() - started;
    return progressText(progress, (process.stderr.columns ?? 80) - MARGIN);
  };
  const stop = await drawnLine({ text: text(), color: hasColour() ? 'cyan' : false }, text);
  return {
    progress(outcome) {
      progress.count += 1;
      progress.current = printable(outcome.source);
      if (outcome.status === 'done') progress.bytes += outcome.bytes;
    },
    expect(total) {
      progress.total = total;
    },
    stop,
  };
}
