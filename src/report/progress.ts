import { cells, tailWithin } from './cells.js';
import { bytesText, durationText } from './figures.js';

/** How far a run is. */
export interface Progress {
  /** Inputs that are over. */
  count: number;
  /** Bytes of the inputs that were processed. */
  bytes: number;
  /** How many inputs there will be, once known. */
  total: number | undefined;
  /** Wall time in milliseconds. */
  ms: number;
  /** The name of the latest input. */
  current: string;
}

const BAR_CELLS = 20;

/** The fewest cells a name is worth showing in. */
const NAME_CELLS = 12;

/**
 * One line about a run, at most `width` cells: bar, count, megabytes a second, time left, current file. Where it is too
 * narrow the name is cut at its start, then goes; then the speed, the bar and the time left go.
 */
export function progressText(progress: Progress, width: number): string {
  if (progress.count === 0) return clipped('looking for pictures', width);
  const { bar, count, rate, left } = partsOf(progress);
  const choices = [[bar, count, rate, left], [bar, count, left], [count, left], [count]].map((parts) =>
    parts.filter((part) => part !== '').join(' · '),
  );
  const [full = ''] = choices;
  const room = width - cells(full) - cells(' · ');
  if (room >= Math.min(NAME_CELLS, cells(progress.current)) && progress.current !== '')
    return `${full} · ${tailWithin(progress.current, room)}`;
  return choices.find((choice) => cells(choice) <= width) ?? clipped(count, width);
}

function partsOf({ count, bytes, total, ms }: Progress) {
  const rate = bytes === 0 ? '' : `${bytesText((bytes / Math.max(1, ms)) * 1000)}/s`;
  if (total === undefined) return { bar: '', count: `${count} images`, rate, left: '' };
  const share = Math.min(1, count / Math.max(1, total));
  const filled = Math.round(share * BAR_CELLS);
  return {
    bar: '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled),
    count: `${count} of ${total}`,
    rate,
    left: `${durationText((ms / count) * Math.max(0, total - count))} left`,
  };
}

function clipped(text: string, width: number): string {
  return text.slice(0, Math.max(0, width));
}
