import type { Socket } from 'node:net';
import { orAborted } from './deadline.js';
import { byProtocol, type Protocols, secureOnly } from './first-bytes.js';
import { type OpenPort, openPort } from './ports.js';
import { openTls, type TlsFiles } from './tls.js';

/** Where a server listens. */
export interface Addresses {
  readonly host: string;
  /** All doors answer on each of them; 0 is any free one. */
  readonly ports: readonly number[];
  /** Connections at once, on each port. */
  readonly connections: number;
  /** With these, all ports speak TLS, and nothing else. */
  readonly tls?: TlsFiles;
}

/** What lies behind the ports, as their life sees it. */
export interface Inside {
  /** Tells those who ask that no new request is wanted. */
  goingDown(): void;
  /** Lets no new request in; resolves when all have been answered. */
  drain(): Promise<void>;
  /** Asks for the end of connections that nothing is answered on. */
  letGo(): void;
  close(): Promise<void>;
}

/** Ports that are open. */
export interface Listening {
  readonly ports: readonly OpenPort[];
  /** Reads the certificate anew, for connections to come. Throws E_USAGE for a bad one; the old one stays in use then. */
  renewCertificate(): void;
  /** Readiness off; what is inside is finished and answered, then all is closed. */
  drain(): Promise<void>;
  /** Closes all at once. */
  close(): Promise<void>;
}

/** Time for clients to let go of their connections once the last answer is sent, in milliseconds. */
const LETTING_GO_MS = 2000;

/** Time for the first bytes of a connection, in milliseconds; with TLS, also for shaking hands. */
const FIRST_BYTE_MS = 10_000;

/** Opens all ports or none. Throws E_USAGE for one that is taken, or a certificate that will not do. */
export async function listen(addresses: Addresses, protocols: Protocols, inside: Inside): Promise<Listening> {
  const ports: OpenPort[] = [];
  const close = async (): Promise<void> => {
    for (const port of ports) port.close();
    await inside.close();
  };
  let door: Door;
  try {
    door = doorTo(protocols, addresses.tls);
    for (const port of addresses.ports) ports.push(await openPort({ ...addresses, port }, door.take));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    ports,
    close,
    renewCertificate: door.renew,
    async drain() {
      inside.goingDown();
      for (const port of ports) port.stop();
      await inside.drain();
      inside.letGo();
      const ended = Promise.all(ports.map((port) => port.ended()));
      await orAborted(ended, AbortSignal.timeout(LETTING_GO_MS)).catch(() => undefined);
      await close();
    },
  };
}

/** What takes the connections of all ports. */
interface Door {
  take(socket: Socket): void;
  renew(): void;
}

function doorTo(protocols: Protocols, files: TlsFiles | undefined): Door {
  const sort = (socket: Socket): void => byProtocol(socket, FIRST_BYTE_MS, protocols);
  if (files === undefined) return { take: sort, renew: () => undefined };
  const { take, renew } = openTls(files, FIRST_BYTE_MS, sort);
  return { take: (socket) => secureOnly(socket, FIRST_BYTE_MS, take), renew };
}
