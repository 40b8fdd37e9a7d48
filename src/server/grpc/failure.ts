import { type ServiceError, status } from '@grpc/grpc-js';
import {
  ERRORS,
  type ErrorCode,
  type ErrorContext,
  expected,
  ImgtoolError,
  type Stage,
} from '../../errors.js';
import { richFacts } from './definitions.js';

/** Why a call came to nothing: the error, and what matters for another try. */
export class CallFailure extends ImgtoolError {
  /** Whether the server answered; else the connection broke, or was never made. */
  readonly answered: boolean;
  /** Milliseconds that the server wants to be left alone. */
  readonly waitMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { answered, waitMs, ...context }: ErrorContext & { answered: boolean; waitMs?: number | undefined },
  ) {
    super(code, message, context);
    this.answered = answered;
    this.waitMs = waitMs;
  }
}

/** What a call threw as the error that the server named in its details, or what its status says. */
export function callFailure(thrown: unknown, target: string): ImgtoolError {
  if (thrown instanceof CallFailure) return thrown;
  if (thrown instanceof ImgtoolError && thrown.code === 'E_UPSTREAM')
    return new CallFailure(thrown.code, thrown.message, { answered: false, cause: thrown.cause });
  // what went wrong on this side, such as reading the input
  if (thrown instanceof ImgtoolError) return thrown;
  const { code, details = String(thrown), metadata } = thrown as Partial<ServiceError>;
  const { reason, context, waitMs } = richFacts(metadata?.get('grpc-status-details-bin')[0]);
  if (reason !== undefined && reason in ERRORS)
    return new CallFailure(reason as ErrorCode, details, {
      answered: true,
      waitMs,
      cause: thrown,
      stage: STAGES.find((stage) => stage === context.stage) ?? 'process',
      ...(context.field !== undefined && { field: context.field }),
    });
  return plainFailure(code, details, target, thrown);
}

const STAGES: readonly Stage[] = ['plan', 'find', 'read', 'decode', 'process', 'encode', 'write'];

/** Of servers that name no reason, and of broken connections. */
function plainFailure(
  code: status | undefined,
  details: string,
  target: string,
  cause: unknown,
): CallFailure {
  const why = reasonIn(details);
  const message = expected(`an answer from ${target}`, why || 'none');
  const failure = (name: ErrorCode, answered: boolean): CallFailure =>
    new CallFailure(name, message, { answered, stage: 'process', cause });
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED) return failure('E_AUTH', true);
  if (code === status.DEADLINE_EXCEEDED) return failure('E_TIMEOUT', true);
  if (code === status.RESOURCE_EXHAUSTED) return failure('E_LIMIT_BYTES', true);
  // no other try would change what the server shows
  if (code === status.UNAVAILABLE && /certificate/i.test(why))
    return new CallFailure('E_USAGE', expected(`a certificate of ${target} that is trusted`, why), {
      answered: true,
      field: '--ca',
      cause,
    });
  if (code === status.UNIMPLEMENTED)
    return new CallFailure('E_USAGE', `${message}; --server-protocol says what it speaks`, {
      answered: true,
      field: '--server-protocol',
      cause,
    });
  return failure('E_UPSTREAM', !isBroken(code, details));
}

/** grpc-js: "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1 (2026-...Z). Resolution note: " */
function reasonIn(details: string): string {
  const [, last = details] = /Last error: (?:Error: )?(.*?)(?:\. Resolution note.*)?$/s.exec(details) ?? [];
  return last.replace(/ \(\d{4}-[\d:.TZ-]+\)/, '').trim();
}

/** grpc-js tells a connection that was reset while streams were open in several ways. */
function isBroken(code: status | undefined, details: string): boolean {
  if (code === status.UNAVAILABLE || code === status.CANCELLED || code === undefined) return true;
  return code === status.INTERNAL && /RST_STREAM|ECONN|socket/i.test(details);
}
