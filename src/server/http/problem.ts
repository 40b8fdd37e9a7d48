import { ERRORS, type ImgtoolError } from '../../errors.js';

/** An error as a client sees it: RFC 9457 `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Tells of an error; of faults of our own only that there was one, since their words are for the log. */
export function problemOf(error: ImgtoolError, requestId: string): Problem {
  const { http: status, title } = ERRORS[error.code];
  const detail =
    error.code === 'E_INTERNAL' ? 'the server met a fault of its own; its log says more' : error.message;
  return {
    type: `urn:imgtool:error:${error.code.slice(2).toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    code: error.code,
    detail,
    request_id: requestId,
    ...(error.field !== undefined && { errors: [{ pointer: pointerTo(error.field), detail }] }),
  };
}

/** `steps.0.width` as a JSON pointer in a URI fragment (RFC 6901). */
function pointerTo(field: string): string {
  return `#/${field.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('.', '/')}`;
}
