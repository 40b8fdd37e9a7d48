/**
 * The one table of error codes. Every door (command line, HTTP, gRPC) derives its own status from it,
 * and nothing else in the project defines a code.
 *
 * `exit` is the process exit code when this error ends a command, `http` and `grpc` the status a server
 * answers with, `retry` whether the same request may succeed later without a change.
 */
export const ERRORS = {
  E_USAGE: {
    exit: 2,
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retry: false,
    title: 'The command or request is not understood',
  },
  E_RECIPE: { exit: 2, http: 422, grpc: 'INVALID_ARGUMENT', retry: false, title: 'The recipe is not valid' },
  E_CONFIG: { exit: 2, http: 500, grpc: 'INTERNAL', retry: false, title: 'The configuration is not valid' },
  E_COLLISION: {
    exit: 2,
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'Two inputs would write one output',
  },
  E_OVERWRITES_INPUT: {
    exit: 2,
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'An output would replace an input',
  },
  E_NOTHING_MATCHED: { exit: 3, http: 404, grpc: 'NOT_FOUND', retry: false, title: 'No input matched' },
  E_NOT_FOUND: { exit: 1, http: 404, grpc: 'NOT_FOUND', retry: false, title: 'Nothing is there' },
  E_NOT_A_FILE: {
    exit: 1,
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'The input is not a regular file',
  },
  E_PERMISSION: { exit: 1, http: 403, grpc: 'PERMISSION_DENIED', retry: false, title: 'Permission denied' },
  E_READ: { exit: 1, http: 422, grpc: 'FAILED_PRECONDITION', retry: true, title: 'The input cannot be read' },
  E_CHANGED: {
    exit: 1,
    http: 409,
    grpc: 'ABORTED',
    retry: true,
    title: 'The input changed while it was read',
  },
  E_EMPTY: { exit: 1, http: 422, grpc: 'FAILED_PRECONDITION', retry: false, title: 'The input has no bytes' },
  E_UNSUPPORTED: {
    exit: 1,
    http: 415,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'The input is not a picture this build reads',
  },
  E_DECODE: {
    exit: 1,
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'The picture is damaged or cut short',
  },
  E_LIMIT_PIXELS: {
    exit: 1,
    http: 422,
    grpc: 'RESOURCE_EXHAUSTED',
    retry: false,
    title: 'The picture has too many pixels',
  },
  E_LIMIT_FRAMES: {
    exit: 1,
    http: 422,
    grpc: 'RESOURCE_EXHAUSTED',
    retry: false,
    title: 'The picture has too many frames',
  },
  E_LIMIT_BYTES: {
    exit: 1,
    http: 413,
    grpc: 'RESOURCE_EXHAUSTED',
    retry: false,
    title: 'The input has too many bytes',
  },
  E_LIMIT_OUTPUT: {
    exit: 1,
    http: 422,
    grpc: 'RESOURCE_EXHAUSTED',
    retry: false,
    title: 'The result would be too large',
  },
  E_PROCESS: { exit: 1, http: 422, grpc: 'FAILED_PRECONDITION', retry: false, title: 'An operation failed' },
  E_ENCODE: {
    exit: 1,
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'The result cannot be encoded',
  },
  E_EXISTS: { exit: 1, http: 409, grpc: 'ALREADY_EXISTS', retry: false, title: 'The output exists already' },
  E_WRITE: { exit: 1, http: 500, grpc: 'INTERNAL', retry: true, title: 'The output cannot be written' },
  E_DISK_FULL: { exit: 1, http: 507, grpc: 'RESOURCE_EXHAUSTED', retry: true, title: 'The disk is full' },
  E_MANIFEST: { exit: 1, http: 500, grpc: 'INTERNAL', retry: false, title: 'The manifest cannot be used' },
  E_TIMEOUT: {
    exit: 1,
    http: 504,
    grpc: 'DEADLINE_EXCEEDED',
    retry: true,
    title: 'The time limit was reached',
  },
  E_CANCELLED: { exit: 130, http: 499, grpc: 'CANCELLED', retry: true, title: 'The work was cancelled' },
  E_LIMIT_REDIRECTS: {
    exit: 1,
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'The source redirects too often',
  },
  E_WORKER: { exit: 1, http: 500, grpc: 'INTERNAL', retry: true, title: 'The decoder process died' },
  E_AUTH: {
    exit: 1,
    http: 401,
    grpc: 'UNAUTHENTICATED',
    retry: false,
    title: 'No valid credentials were given',
  },
  E_UPSTREAM: {
    exit: 1,
    http: 503,
    grpc: 'UNAVAILABLE',
    retry: true,
    title: 'The processing service does not answer',
  },
  E_QUEUE_FULL: { exit: 1, http: 503, grpc: 'UNAVAILABLE', retry: true, title: 'The queue is full' },
  E_QUOTA: { exit: 1, http: 429, grpc: 'RESOURCE_EXHAUSTED', retry: true, title: 'The quota is used up' },
  E_DRAINING: { exit: 1, http: 503, grpc: 'UNAVAILABLE', retry: true, title: 'The server is going down' },
  E_JOB_UNFINISHED: {
    exit: 1,
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retry: true,
    title: 'Not finished yet',
  },
  E_JOB_FINISHED: {
    exit: 1,
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retry: false,
    title: 'Finished already',
  },
  E_EXPIRED: { exit: 1, http: 410, grpc: 'NOT_FOUND', retry: false, title: 'The job and its result expired' },
  E_DATA_IN_USE: { exit: 1, http: 503, grpc: 'UNAVAILABLE', retry: true, title: 'The data folder is in use' },
  E_INTERNAL: { exit: 1, http: 500, grpc: 'INTERNAL', retry: false, title: 'A fault in imgtool itself' },
} as const satisfies Record<string, ErrorFacts>;

interface ErrorFacts {
  readonly exit: number;
  readonly http: number;
  readonly grpc: string;
  readonly retry: boolean;
  readonly title: string;
}

/** A stable error code: one key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** Where in the flow an error arose. */
export type Stage = 'plan' | 'find' | 'read' | 'decode' | 'process' | 'encode' | 'write';

/** What an {@link ImgtoolError} may say beside its message. */
export interface ErrorContext {
  readonly stage?: Stage;
  /** The file as the caller named it. */
  readonly file?: string;
  /** The parameter or field, as a dotted path such as `steps.0.width`. */
  readonly field?: string;
  readonly cause?: unknown;
}

/** Every error a caller can cause: a stable code, a one-sentence message, and where it arose. */
export class ImgtoolError extends Error {
  readonly code: ErrorCode;
  readonly stage: Stage | undefined;
  readonly file: string | undefined;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'ImgtoolError';
    this.code = code;
    this.stage = context.stage;
    this.file = context.file;
    this.field = context.field && clipped(context.field);
  }

  /** The same error, with what a caller further up knows filled in where it was missing. */
  in(context: ErrorContext): ImgtoolError {
    return new ImgtoolError(this.code, this.message, {
      cause: this.cause,
      ...context,
      ...(this.stage && { stage: this.stage }),
      ...(this.file && { file: this.file }),
      ...(this.field && { field: this.field }),
    });
  }

  /** The error as data, for JSON reports. */
  toJSON(): { code: ErrorCode; stage?: Stage; file?: string; field?: string; message: string } {
    return {
      code: this.code,
      ...(this.stage && { stage: this.stage }),
      ...(this.file !== undefined && { file: this.file }),
      ...(this.field !== undefined && { field: this.field }),
      message: this.message,
    };
  }
}

/** The house sentence: what was expected, and what came instead, its beginning where it is long. */
export function expected(what: string, received: unknown): string {
  const text = typeof received === 'string' ? received : JSON.stringify(received);
  return `expected ${what}, received ${text === undefined ? text : clipped(text)}`;
}

/** A caller's own text comes back to it, also in gRPC's trailers, which hold no more than 8 KiB of all texts together. */
function clipped(text: string): string {
  return text.length <= MOST_SAID ? text : `${text.slice(0, MOST_SAID)}... (${text.length} characters)`;
}

const MOST_SAID = 300;

/** Any thrown value as an {@link ImgtoolError}: its own, or `fallback` with the value as cause. */
export function toImgtoolError(
  thrown: unknown,
  fallback: ErrorCode,
  context: ErrorContext = {},
): ImgtoolError {
  if (thrown instanceof ImgtoolError) return thrown.in(context);
  const system = systemCode(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ImgtoolError(system ?? fallback, message, { ...context, cause: thrown });
}

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'E_NOT_FOUND',
  ENOTDIR: 'E_NOT_FOUND',
  EISDIR: 'E_NOT_A_FILE',
  EACCES: 'E_PERMISSION',
  EPERM: 'E_PERMISSION',
  EROFS: 'E_PERMISSION',
  ENOSPC: 'E_DISK_FULL',
  EDQUOT: 'E_DISK_FULL',
};

function systemCode(thrown: unknown): ErrorCode | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? SYSTEM_CODES[code] : undefined;
}
