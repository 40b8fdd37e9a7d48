import { ImgtoolError } from '../errors.js';
import type { Seen } from './seen.js';

/** One input file, and where it stands in what the user named. */
export interface Found {
  /** Absolute, so that it opens from any folder and never looks like a flag. */
  readonly path: string;
  /** As shown to the user: what they named, and the way on from there. */
  readonly name: string;
  /** The absolute folder the tree is kept relative to: a directory argument itself, a glob's fixed prefix, a named file's folder. */
  readonly root: string;
  /** The index of the argument that led here. */
  readonly argument: number;
  /** The path relative to the root, with `/` separators. */
  readonly relative: string;
  /** Whether the file was named outright, and so is tried whatever its extension. */
  readonly explicit: boolean;
}

/** How to look for inputs. */
export interface FindOptions {
  /** The absolute folder that relative arguments start from. */
  readonly cwd: string;
  /** Whether directories are searched below their own files. */
  readonly recursive: boolean;
  /** Whether directories and patterns also take entries whose name starts with a dot; default false. */
  readonly hidden?: boolean;
  /** Says, by real path, which directories hold our own outputs; those with a manifest are known without it. */
  readonly exclude?: (realDir: string) => boolean;
  /** What was found before, shared by several calls so that a file is taken once among them all. */
  readonly seen?: Seen;
  readonly signal?: AbortSignal;
  /** Told of each picture of a known type that this build does not read. */
  readonly onUnreadable?: (type: string, name: string) => void;
  /** Told of each input that is missing or cannot be opened, as a failed outcome; without it the first one is thrown. */
  readonly onProblem?: (error: ImgtoolError) => void;
  /** Whose path rules hold: `win32` takes a backslash in patterns for a separator; default this machine's. */
  readonly platform?: NodeJS.Platform;
}

/** {@link FindOptions} with what is always there. */
export interface FindContext extends FindOptions {
  readonly platform: NodeJS.Platform;
  readonly problem: (error: ImgtoolError) => void;
}

/** The options with their defaults. */
export function contextOf(options: FindOptions): FindContext {
  return {
    ...options,
    platform: options.platform ?? process.platform,
    problem: options.onProblem ?? raise,
  };
}

/** An error of stage `find`. */
export function problem(
  code: 'E_NOT_FOUND' | 'E_NOTHING_MATCHED' | 'E_NOT_A_FILE',
  message: string,
  file: string,
): ImgtoolError {
  return new ImgtoolError(code, message, { stage: 'find', file });
}

/** Stops with E_CANCELLED when the signal has been aborted. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new ImgtoolError('E_CANCELLED', 'the search for inputs was cancelled', {
    stage: 'find',
    cause: signal.reason,
  });
}

function raise(error: ImgtoolError): never {
  throw error;
}
