import { expected, ImgtoolError } from '../errors.js';

/** How many may run and wait, in each lane. */
export interface LaneLimits {
  /** Runs at once, both lanes together. */
  readonly workers: number;
  /** Waiting in each lane. */
  readonly queue: number;
  /** Pixels that bulky runs may hold together; a larger one runs as the only bulky one. */
  readonly pixelsInFlight: number;
}

/** What runs and what waits. */
export interface LaneState {
  readonly running: number;
  readonly waiting: number;
  /** Pixels held by bulky runs. */
  readonly pixels: number;
}

/** What wants to run. */
export interface Entrant {
  /** 0 for a picture not known to be bulky. */
  readonly pixels: number;
  /** Waits in a full lane too, and takes no place there from those who cannot wait. */
  readonly patient: boolean;
}

/** Two lanes to one set of workers, so that bulky pictures do not hold up small ones. */
export interface Lanes {
  /**
   * Waits for a worker and runs. Throws E_QUEUE_FULL at once when its lane is full, and the signal's reason when it is
   * aborted while it waits.
   */
  run<T>(entrant: Entrant, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Throws E_QUEUE_FULL when a picture that is not known to be bulky, and cannot wait elsewhere, would be refused now. */
  checkRoom(): void;
  state(): LaneState;
}

/** Lanes with their bounds. Bulky runs leave one worker to the small ones, where there are two or more. */
export function lanes(limits: LaneLimits): Lanes {
  const waiting: Waiting[] = [];
  const bulkyWorkers = Math.max(1, limits.workers - 1);
  let running = 0;
  let bulky = 0;
  let held = 0;

  const mayStart = ({ pixels }: Waiting): boolean => {
    if (running >= limits.workers) return false;
    if (pixels === 0) return true;
    return bulky === 0 || (bulky < bulkyWorkers && held + pixels <= limits.pixelsInFlight);
  };
  /** Those that wait in a lane and take a place there. */
  const rivals = (big: boolean): number =>
    waiting.filter((entry) => !entry.patient && entry.pixels > 0 === big).length;
  const account = (pixels: number, sign: 1 | -1): void => {
    running += sign;
    bulky += pixels > 0 ? sign : 0;
    held += pixels * sign;
  };
  /** The oldest of each lane: later ones of a lane that is blocked must not overtake. */
  const next = (): Waiting | undefined => {
    const heads = [true, false].map((big) => waiting.find(({ pixels }) => pixels > 0 === big));
    const able = heads.filter((head): head is Waiting => head !== undefined && mayStart(head));
    return waiting.find((entry) => able.includes(entry));
  };
  const admit = (): void => {
    for (let entry = next(); entry !== undefined; entry = next()) {
      waiting.splice(waiting.indexOf(entry), 1);
      account(entry.pixels, 1);
      entry.start();
    }
  };
  const entered = ({ pixels, patient }: Entrant, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason);
        admit();
      };
      const entry: Waiting = {
        pixels,
        patient,
        start: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      waiting.push(entry);
      admit();
      if (patient || !waiting.includes(entry)) return;
      if (rivals(pixels > 0) <= limits.queue) return;
      signal.removeEventListener('abort', abort);
      waiting.splice(waiting.indexOf(entry), 1);
      reject(full(limits.queue));
    });

  return {
    async run(entrant, signal, work) {
      const { pixels } = entrant;
      signal.throwIfAborted();
      await entered(entrant, signal);
      try {
        return await work();
      } finally {
        account(pixels, -1);
        admit();
      }
    },
    checkRoom() {
      if (running >= limits.workers && rivals(false) >= limits.queue) throw full(limits.queue);
    },
    state: () => ({ running, waiting: rivals(false) + rivals(true), pixels: held }),
  };
}

interface Waiting extends Entrant {
  start(): void;
}

function full(queue: number): ImgtoolError {
  return new ImgtoolError('E_QUEUE_FULL', expected(`at most ${queue} requests waiting`, 'one more'));
}
