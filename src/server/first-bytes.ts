import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { expected, ImgtoolError } from '../errors.js';
import { problemOf } from './http/problem.js';

/** Where connections go, by the protocol their first bytes speak. */
export interface Protocols {
  /** HTTP/1.1. */
  http(socket: Socket): void;
  /** HTTP/2 without an upgrade, which is gRPC; connections that speak it are closed when this is left out. */
  http2?(socket: Socket): void;
}

/** Hands a connection to the protocol it speaks; one that says nothing for `waitMs` milliseconds is closed. */
export function byProtocol(socket: Socket, waitMs: number, { http, http2 }: Protocols): void {
  byFirstBytes(socket, waitMs, (head) => {
    const known = Math.min(head.length, PREFACE.length);
    const isHttp2 = head.compare(PREFACE, 0, known, 0, known) === 0;
    if (isHttp2 && known < PREFACE.length) return undefined;
    const take = isHttp2 ? http2 : http;
    return () => {
      if (take === undefined) socket.destroy();
      else take(socket);
      // the protocol's own listeners stand now
      process.nextTick(() => socket.resume());
    };
  });
}

/** Hands a connection on when it begins a TLS handshake; one that speaks plainly is told so, and closed. */
export function secureOnly(socket: Socket, waitMs: number, take: (socket: Socket) => void): void {
  byFirstBytes(
    socket,
    waitMs,
    (head) => () => (head[0] === HANDSHAKE ? take(socket) : answerPlainly(socket, waitMs)),
  );
}

/** The first three bytes of HTTP/2's preface (RFC 9113, 3.4); no method of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI');

/** The first byte of a TLS handshake (RFC 8446, 5.1); no method of HTTP begins so. */
const HANDSHAKE = 0x16;

/** Gathers bytes until `decide` knows what to do, puts them back, and has it done. */
function byFirstBytes(
  socket: Socket,
  waitMs: number,
  decide: (head: Buffer) => (() => void) | undefined,
): void {
  socket.setTimeout(waitMs, () => socket.destroy());
  const seen: Buffer[] = [];
  const look = (chunk: Buffer): void => {
    seen.push(chunk);
    const head = Buffer.concat(seen);
    const act = decide(head);
    if (act === undefined) return;
    socket.off('data', look);
    socket.pause();
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(head);
    act();
  };
  socket.on('data', look);
}

/** A client that speaks HTTP to a port for HTTPS would otherwise see nothing but a closed connection. */
function answerPlainly(socket: Socket, waitMs: number): void {
  const error = new ImgtoolError('E_USAGE', expected('HTTPS on this port', 'a plain connection'));
  const body = JSON.stringify(problemOf(error, randomUUID()));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  // what it still sends is read and forgotten: with bytes unread, the end would be a reset, and the answer lost
  socket.resume();
  socket.setTimeout(waitMs, () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
