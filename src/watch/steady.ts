import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A file as it stood at one moment. */
export interface Look {
  /** Differs whenever the file's content, times, permissions or identity do. */
  readonly key: string;
  readonly size: number;
  readonly inode: number;
  /** Milliseconds since 1970, with the fraction. */
  readonly mtimeMs: number;
  /** The later of the times of its content and of its entry, as the file system's clock has it. */
  readonly changedMs: number;
  /** Milliseconds since 1970 by our clock. */
  readonly at: number;
}

/** What lies at a path, links followed; undefined when nothing does. */
export async function statsAt(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** How a file stands, from what the system said of it just now. */
export function lookOf(path: string, { size, mtimeMs, ctimeMs, ino }: Stats): Look {
  return {
    key: [path, size, mtimeMs, ctimeMs, ino].join('\0'),
    size,
    inode: ino,
    mtimeMs,
    changedMs: Math.max(mtimeMs, ctimeMs),
    at: Date.now(),
  };
}

/**
 * Milliseconds until a file may be taken for whole, 0 when it may be now: it has stood still for the window by its own
 * times, or, where the file system's clock runs ahead of ours, between two looks.
 */
export function unsteadyFor(now: Look, before: Look | undefined, window: number): number {
  const still = now.at - now.changedMs;
  if (still >= window) return 0;
  const since = before?.key === now.key ? before.at : now.at;
  const watched = now.at - since;
  if (watched >= window) return 0;
  return Math.ceil(Math.min(window - watched, still > 0 ? window - still : window));
}
