import { createServer, type Server, type Socket } from 'node:net';
import { expected, ImgtoolError } from '../errors.js';

/** Where connections go, by the protocol their first bytes speak. */
export interface Protocols {
  /** HTTP/1.1. */
  http(socket: Socket): void;
  /** HTTP/2 without negotiation, which is gRPC; connections that speak it are closed when this is left out. */
  http2?(socket: Socket): void;
}

/** How connections are bounded. */
export interface PortOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at once; more are closed at once. */
  readonly connections: number;
  /** Time for the first bytes to come, in milliseconds. */
  readonly firstByteMs: number;
}

/** A port that is listened on. */
export interface OpenPort {
  readonly host: string;
  readonly port: number;
  /** Takes no more connections; those that stand go on. */
  stop(): void;
  /** Resolves when no connection stands any more. */
  ended(): Promise<void>;
  /** Ends all connections. */
  close(): void;
}

/** Listens, and hands each connection to its protocol. Throws E_USAGE when the address is taken or is none of ours. */
export async function openPort(options: PortOptions, protocols: Protocols): Promise<OpenPort> {
  const { host, port } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sort(socket, options.firstByteMs, protocols);
  });
  server.maxConnections = options.connections;
  await listening(server, host, port);
  const address = server.address();
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () => void server.close(),
    // a server that was stopped closes with the last of its connections
    ended: () => new Promise((resolve) => (sockets.size === 0 ? resolve() : server.once('close', resolve))),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The first three bytes of HTTP/2's preface (RFC 9113, 3.4); no method of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI');

function sort(socket: Socket, firstByteMs: number, protocols: Protocols): void {
  socket.setTimeout(firstByteMs, () => socket.destroy());
  const seen: Buffer[] = [];
  const look = (chunk: Buffer): void => {
    seen.push(chunk);
    const head = Buffer.concat(seen);
    const known = Math.min(head.length, PREFACE.length);
    const isHttp2 = head.compare(PREFACE, 0, known, 0, known) === 0;
    if (isHttp2 && head.length < PREFACE.length) return;
    socket.off('data', look);
    socket.pause();
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(head);
    if (!isHttp2) protocols.http(socket);
    else if (protocols.http2 !== undefined) protocols.http2(socket);
    else socket.destroy();
    // the protocol's own listeners stand now
    process.nextTick(() => socket.resume());
  };
  socket.on('data', look);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refused(cause, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // an accept that fails for want of file descriptors must not end the server
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function refused(cause: NodeJS.ErrnoException, host: string, port: number): ImgtoolError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'one that another program listens on',
    EACCES: 'one that needs more rights',
    EADDRNOTAVAIL: 'an address that is not of this machine',
    ENOTFOUND: 'a host that has no address',
  };
  const received = `${host}:${port}, ${reasons[cause.code ?? ''] ?? cause.message}`;
  return new ImgtoolError('E_USAGE', expected('a free port', received), { field: 'port', cause });
}
