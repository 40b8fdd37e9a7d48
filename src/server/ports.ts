import { createServer, type Server, type Socket } from 'node:net';
import { expected, ImgtoolError } from '../errors.js';

/** How connections are bounded. */
export interface PortOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at once; more are closed at once. */
  readonly connections: number;
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

/** Listens, and hands each connection on. Throws E_USAGE when the address is taken or is none of ours. */
export async function openPort(options: PortOptions, take: (socket: Socket) => void): Promise<OpenPort> {
  const { host, port } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    take(socket);
  });
  server.maxConnections = options.connections;
  await listening(server, host, port);
  const address = server.address();
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () => void server.close(),
    // not the server's own 'close': it may have been told before the last of its connections tells of its end
    ended: async () => void (await Promise.all(Array.from(sockets, closed))),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
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
