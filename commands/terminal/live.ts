import type { Outcome } from '../../src/outcome.js';
import { bytesText, durationText } from '../../src/report/figures.js';
import { printable } from './streams.js';

/** A line on the terminal that shows how far a run is. */
export interface LiveLine {
  progress(outcome: Outcome): void;
  /** How many inputs there will be, once known. */
  expect(total: number): void;
  pause(): void;
  resume(): void;
  stop(): void;
}

const REDRAW_MS = 80;
const BAR_CELLS = 20;

/** Starts a live line on standard error. */
export async function liveLine(): Promise<LiveLine> {
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, discardStdin: false, text: 'looking for pictures' }).start();
  const started = performance.now();
  const state = { count: 0, bytes: 0, total: undefined as number | undefined, drawn: 0 };
  return {
    progress(outcome) {
      state.count += 1;
      if (outcome.status === 'done') state.bytes += outcome.bytes;
      const now = performance.now();
      if (now - state.drawn < REDRAW_MS) return;
      state.drawn = now;
      spinner.text = liveText(state, now - started, printable(outcome.source));
    },
    expect(total) {
      state.total = total;
    },
    pause: () => void spinner.clear(),
    resume: () => void spinner.render(),
    stop: () => void spinner.stop(),
  };
}

function liveText(
  state: { count: number; bytes: number; total: number | undefined },
  ms: number,
  current: string,
): string {
  const rate = `${bytesText((state.bytes / ms) * 1000)}/s`;
  if (state.total === undefined) return `${state.count} images · ${rate} · ${current}`;
  const share = Math.min(1, state.count / state.total);
  const filled = Math.round(share * BAR_CELLS);
  const left = durationText((ms / Math.max(1, state.count)) * Math.max(0, state.total - state.count));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${state.count}/${state.total} · ${rate} · ${left} left · ${current}`;
}
