import { durationText } from '../../src/report/figures.js';
import type { WatchEvent } from '../../src/watch.js';
import { shown } from '../terminal/reporter.js';

/** A line about what a watch did besides processing pictures; undefined where only `--verbose` has one. */
export function eventLine(
  event: Exclude<WatchEvent, { readonly type: 'outcome' | 'problem' }>,
  { verbose, once }: { readonly verbose: boolean; readonly once: boolean },
): string | undefined {
  switch (event.type) {
    case 'retry':
      return verbose
        ? `  waits ${durationText(event.delay)} for ${event.source}: ${event.error.code} at try ${event.attempt}`
        : undefined;
    case 'moved':
      return event.to === 'failed' || verbose ? `  moved ${event.source} to ${shown(event.path)}` : undefined;
    case 'removed':
      return `  removed ${shown(event.path)}: its original was ${event.reason}`;
    case 'folder':
      return event.state === 'gone'
        ? `  ${shown(event.path)} is gone: waiting for it to come back`
        : `  ${shown(event.path)} is back`;
    case 'caught-up':
      return once ? undefined : '  caught up: waiting for pictures (Ctrl-C ends)';
    case 'unreadable':
      return undefined;
  }
}
