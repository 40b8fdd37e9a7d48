import { counted } from '../../src/report/figures.js';
import type { WatchEvent, WatchState } from '../../src/watch.js';
import { drawnLine } from '../terminal/drawn-line.js';

/** A line on the terminal that shows how a watch stands. */
export interface StatusLine {
  event(event: WatchEvent): void;
  stop(): void;
}

/** Starts a status line on standard error; whatever else is written there meanwhile goes above it. */
export async function statusLine(state: () => WatchState): Promise<StatusLine> {
  const counts = { done: 0, skipped: 0, failed: 0, pruned: 0 };
  const stop = await drawnLine({ text: 'looking for pictures' }, () => {
    const columns = process.stderr.columns ?? 80;
    return statusText(state(), counts).slice(0, columns - 3);
  });
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
