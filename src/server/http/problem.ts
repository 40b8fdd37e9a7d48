import { ERRORS, type ImgtoolError } from '../../errors.js';
import { isOwnFault } from '../own-fault.js';

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

/** Tells of an error as {@link detailOf} does. */
export function problemOf(error: ImgtoolError, requestId: string): Problem {
  const { http: status, title } = ERRORS[error.code];
  const detail = detailOf(error);
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

/** What a client may read of an error. */
export function detailOf(error: ImgtoolError): string {
  return isOwnFault(error) ? 'the server met a fault of its own; its log says more' : error.message;
}

/** `steps.0.width` as a JSON pointer in a URI fragment (RFC 6901). */
function pointerTo(field: string): string {
  return `#/${field.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('.', '/')}`;
}
