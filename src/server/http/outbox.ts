import type { ServerResponse } from 'node:http';

/** What answers on their way to their clients may take. */
export interface OutboxLimits {
  /** A client that takes nothing for so long is cut off, in milliseconds. */
  readonly ms: number;
  /** Most bytes of all answers together. */
  readonly bytes: number;
}

/** So is one that takes its answer in more slowly than this all in all, in bytes a second. */
const SLOWEST = 64 * 1024;

/**
 * Watches over answers that are held in memory until their clients have taken them. One that is not taken in time is
 * cut off with its connection; so are the oldest ones when all together hold too many bytes.
 */
export function outbox({ ms, bytes: most }: OutboxLimits): (answer: ServerResponse, bytes: number) => void {
  const leave = new Map<ServerResponse, () => void>();
  let held = 0;
  return (answer, bytes) => {
    const cut = (): void => void answer.destroy();
    answer.setTimeout(ms, cut);
    const late = setTimeout(cut, ms + (bytes / SLOWEST) * 1000).unref();
    held += bytes;
    leave.set(answer, () => {
      if (!leave.delete(answer)) return;
      clearTimeout(late);
      held -= bytes;
    });
    answer.once('close', () => leave.get(answer)?.());
    for (const [oldest, left] of leave) {
      if (held <= most || oldest === answer) break;
      left();
      oldest.destroy();
    }
  };
}
