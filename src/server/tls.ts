import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { expected, ImgtoolError } from '../errors.js';

/** The files of a server's certificate, in PEM. */
export interface TlsFiles {
  /** The certificate, then those between it and its root. */
  readonly cert: string;
  /** Its private key, without a password. */
  readonly key: string;
}

/** Makes secure connections of plain ones. */
export interface Tls {
  /** Shakes hands on a connection that nothing was read of, or all was put back. */
  take(socket: Socket): void;
  /** Reads the files anew, for connections to come. Throws as {@link openTls} does; the old ones stay in use then. */
  renew(): void;
}

/** Reads a certificate and its key; `secure` gets the connections that shook hands. Throws E_USAGE naming flag and file. */
export function openTls(files: TlsFiles, handshakeMs: number, secure: (socket: TLSSocket) => void): Tls {
  const server = createServer({
    ...material(files),
    handshakeTimeout: handshakeMs,
    // in this order: who offers both (browsers, curl) speaks HTTP/1.1, and who offers h2 alone is a gRPC client
    ALPNProtocols: ['http/1.1', 'h2'],
  });
  // also how a handshake that takes too long ends
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    secure(socket);
  });
  return {
    take: (socket) => void server.emit('connection', socket),
    renew: () => server.setSecureContext(material(files)),
  };
}

/** What a secure context is made of. */
interface Material {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
}

function material(files: TlsFiles): Material {
  const cert = readFrom(files.cert, 'tls-cert');
  const key = readFrom(files.key, 'tls-key');
  const certificate = certificateFrom(cert, files.cert);
  if (!certificate.checkPrivateKey(keyFrom(key, files.key)))
    refuse('tls-key', files.key, `the private key of the certificate in ${files.cert}`, 'another one');
  return { cert, key, minVersion: 'TLSv1.2' };
}

function readFrom(path: string, field: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code = 'an error' } = cause as NodeJS.ErrnoException;
    return refuse(field, path, 'a file in PEM that can be read', code, cause);
  }
}

function certificateFrom(bytes: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    return refuse('tls-cert', path, 'a certificate in PEM', 'a file that holds none', cause);
  }
}

function keyFrom(bytes: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    const locked = bytes.includes('ENCRYPTED');
    const received = locked ? 'a key that needs one' : 'a file that holds none';
    return refuse('tls-key', path, 'a private key in PEM, without a password', received, cause);
  }
}

function refuse(field: string, file: string, wanted: string, received: string, cause?: unknown): never {
  throw new ImgtoolError('E_USAGE', expected(wanted, received), { field, file, cause });
}
