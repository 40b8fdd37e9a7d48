import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ERRORS, ImgtoolError, toImgtoolError } from '../../errors.js';
import { richBytes } from './definitions.js';

/** The domain of the reasons that errors give. */
export const DOMAIN = 'imgtool';

/** Any error as gRPC clients know it: a status, with ErrorInfo, BadRequest and RetryInfo as details. */
export function serviceError(thrown: unknown, retryAfter: number): ServiceError {
  const error = toImgtoolError(thrown, 'E_INTERNAL');
  const { grpc, retry } = ERRORS[error.code];
  const code = status[grpc];
  const message =
    error.code === 'E_INTERNAL' ? 'the server met a fault of its own; its log says more' : error.message;
  const details = [
    any('ErrorInfo', { reason: error.code, domain: DOMAIN, metadata: contextOf(error) }),
    ...(code === status.INVALID_ARGUMENT
      ? [any('BadRequest', { fieldViolations: [{ field: error.field ?? '', description: message }] })]
      : []),
    ...(retry && code === status.UNAVAILABLE
      ? [any('RetryInfo', { retryDelay: { seconds: retryAfter, nanos: 0 } })]
      : []),
  ];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', richBytes('Status', { code, message, details }));
  return Object.assign(new Error(message), { code, details: message, metadata });
}

/** A method that is declared and that this server does not have, with why. */
export function unimplemented(details: string): ServiceError {
  const code = status.UNIMPLEMENTED;
  const metadata = new Metadata();
  const info = any('ErrorInfo', { reason: 'E_USAGE', domain: DOMAIN, metadata: {} });
  metadata.set('grpc-status-details-bin', richBytes('Status', { code, message: details, details: [info] }));
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The code of an error for logs and metrics. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof ImgtoolError ? thrown.code : 'E_INTERNAL';
}

/** What a client that runs the same pipeline reports of an error, beside its code and message. */
function contextOf({ stage, field }: ImgtoolError): Record<string, string> {
  return { ...(stage && { stage }), ...(field !== undefined && { field }) };
}

function any(name: 'ErrorInfo' | 'BadRequest' | 'RetryInfo', message: object): object {
  return { type_url: `type.googleapis.com/google.rpc.${name}`, value: richBytes(name, message) };
}
