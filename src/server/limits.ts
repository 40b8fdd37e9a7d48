import type { Limits } from '../limits.js';
import { processors } from '../machine.js';

/** What a server bounds, each with its own refusal. */
export interface ServerLimits extends Limits {
  /** Size of one input in bytes (E_LIMIT_BYTES). */
  readonly bytes: number;
  /** Redirects followed for a source (E_LIMIT_REDIRECTS). */
  readonly redirects: number;
  /** Time to connect to a source, in milliseconds (E_TIMEOUT). */
  readonly connectMs: number;
  /** Time to fetch a source whole, in milliseconds (E_TIMEOUT). */
  readonly fetchMs: number;
  /** Time for a whole request, its upload included, in milliseconds (E_TIMEOUT). */
  readonly totalMs: number;
  /** Pictures worked on at once, each in a process of its own. */
  readonly workers: number;
  /** Requests that may wait in each lane (E_QUEUE_FULL). */
  readonly queue: number;
  /** Pixels in memory that make a picture bulky: it waits in a lane of its own. */
  readonly bulkyPixels: number;
  /** Pixels that bulky pictures may hold in memory together; a larger one runs as the only bulky one. */
  readonly pixelsInFlight: number;
}

/** The limits of a server, with what its operator set in the place of the defaults. */
export function serverLimits(set: Partial<ServerLimits> = {}): ServerLimits {
  const workers = Math.max(1, set.workers ?? processors());
  return {
    pixels: 50_000_000,
    frames: 256,
    outputPixels: 50_000_000,
    outputSide: 8192,
    bytes: 32 * 1024 * 1024,
    redirects: 3,
    connectMs: 3000,
    fetchMs: 5000,
    totalMs: 15_000,
    queue: 4 * workers,
    bulkyPixels: 8_000_000,
    pixelsInFlight: 64_000_000,
    ...set,
    workers,
  };
}

/** Most bytes of a recipe in a request; what a picture can be asked for is far shorter. */
export const RECIPE_BYTES = 64 * 1024;
