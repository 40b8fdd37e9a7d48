import type {
  handleUnaryCall,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { ImgtoolError } from '../../errors.js';
import type { Auth } from '../auth.js';
import type { Deadline } from '../deadline.js';
import type { Logs } from '../logs.js';
import type { Metrics } from '../metrics.js';
import type { ImageService } from '../service.js';
import { codeOf, serviceError } from './status.js';

/** What every method needs around its work. */
export interface Doors {
  readonly service: ImageService;
  readonly auth: Auth;
  readonly logs: Logs;
  readonly metrics: Metrics;
}

/** Bytes of pictures that came in and went out, for logs and metrics. */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
}

/** A unary method from its work, which throws the project's errors. */
export function unary<Q, A>(
  doors: Doors,
  work: (request: Q, signal: AbortSignal, traffic: Traffic) => Promise<A>,
): handleUnaryCall<Q, A> {
  return (call, callback) => {
    answered(doors, call, (signal, traffic) => work(call.request, signal, traffic)).then(
      (answer) => callback(null, answer),
      (thrown) => callback(serviceError(thrown, doors.service.retryAfter())),
    );
  };
}

/** A method that streams both ways from its work, which reads the call and writes to it. */
export function duplex<Q, A>(
  doors: Doors,
  work: (call: ServerDuplexStream<Q, A>, signal: AbortSignal, traffic: Traffic) => Promise<void>,
): (call: ServerDuplexStream<Q, A>) => void {
  return (call) => {
    answered(doors, call, (signal, traffic) => work(call, signal, traffic)).then(
      () => call.end(),
      (thrown) => call.emit('error', serviceError(thrown, doors.service.retryAfter())),
    );
  };
}

/**
 * A method that streams its answers from its work. It may take as long as its reader likes, so it is no visit that a
 * drain would wait for: `until` ends it with E_DRAINING.
 */
export function serverStream<Q, A>(
  doors: Doors,
  until: AbortSignal | undefined,
  work: (call: ServerWritableStream<Q, A>, signal: AbortSignal, traffic: Traffic) => Promise<void>,
): (call: ServerWritableStream<Q, A>) => void {
  return (call) => {
    // what breaks a stream must not end the process; the signal tells of it
    call.on('error', () => undefined);
    const sent = (signal: AbortSignal, traffic: Traffic) => work(call, signal, traffic);
    answered(doors, call, sent, () => endless(until)).then(
      () => call.end(),
      (thrown) => call.emit('error', serviceError(thrown, doors.service.retryAfter())),
    );
  };
}

/** What all kinds of calls share. */
interface Call extends Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPath' | 'getPeer'> {
  on(event: 'cancelled', listener: () => void): unknown;
}

/** Runs a call's work under its limits: the caller's cancel and deadline end it, and free what it holds. */
async function answered<T>(
  { service, auth, logs, metrics }: Doors,
  call: Call,
  work: (signal: AbortSignal, traffic: Traffic) => Promise<T>,
  enter = (): Deadline => service.enter(),
): Promise<T> {
  const started = performance.now();
  const traffic: Traffic = { bytesIn: 0, bytesOut: 0 };
  let code = 'OK';
  try {
    auth(call.metadata.get('authorization').map(String)[0]);
    const visit = enter();
    // grpc-js says so too when the caller's deadline has passed
    call.on('cancelled', () => visit.cancel());
    try {
      return await work(visit.signal, traffic);
    } finally {
      visit.release();
    }
  } catch (thrown) {
    code = codeOf(thrown);
    if (code === 'E_INTERNAL') logs.errors.error({ err: thrown }, 'grpc');
    throw thrown;
  } finally {
    const ms = performance.now() - started;
    const route = call.getPath();
    metrics.count({ door: 'grpc', route, code, seconds: ms / 1000, ...traffic });
    logs.access.info({ peer: call.getPeer(), route, code, ms: Math.round(ms), ...traffic }, 'grpc');
  }
}

/** A visit without a clock. */
function endless(until: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const drained = (): void => controller.abort(goingDown());
  until?.addEventListener('abort', drained, { once: true });
  if (until?.aborted === true) drained();
  return {
    signal: controller.signal,
    cancel: () => controller.abort(new ImgtoolError('E_CANCELLED', 'the caller has gone')),
    release: () => until?.removeEventListener('abort', drained),
  };
}

/** The refusal of a server that goes down. */
export function goingDown(): ImgtoolError {
  return new ImgtoolError('E_DRAINING', 'the server is going down: ask another one');
}
