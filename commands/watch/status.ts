import { counted } from '../../src/report/figures.js';
import type { WatchEvent, WatchState } from '../../src/watch.js';
import { liveStands } from '../terminal/live-line.js';

/** A line on the terminal that shows how a watch stands. */
export interface StatusLine {
  event(event: WatchEvent): void;
  stop(): void;
}

const REDRAW_MS = 100;

/** Starts a status line on standard error; whatever else is written there meanwhile goes above it. */
export async function statusLine(state: () => WatchState): Promise<StatusLine> {
  const { default: ora } = await import('ora');
  const counts = { done: 0, skipped: 0, failed: 0, pruned: 0 };
  const spinner = ora({ stream: process.stderr, discardStdin: false, text: 'looking for pictures' }).start();
  const redraw = setInterval(() => {
    const columns = process.stderr.columns ?? 80;
    spinner.text = statusText(state(), counts).slice(0, columns - 3);
  }, REDRAW_MS);
  redraw.unref();
  const stop = (): void => {
    clearInterval(redraw);
    spinner.stop();
    liveStands(undefined);
  };
  liveStands(stop);
  return {
    event(event) {
      if (event.type === 'outcome') counts[event.outcome.status] += 1;
    },
    stop,
  };
}

function statusText(
  { waiting, running, folders }: WatchState,
  { done, failed }: { readonly done: number; readonly failed: number },
): string {
  const busy = running + waiting > 0 ? `${running} in work, ${waiting} waiting` : 'waiting for pictures';
  const parts = [
    busy,
    `${done} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    counted(folders, 'folder'),
  ];
  return parts.join(' · ');
}
