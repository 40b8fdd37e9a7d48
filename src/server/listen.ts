import { orAborted } from './deadline.js';
import { type OpenPort, openPort, type Protocols } from './ports.js';

/** Where a server listens. */
export interface Addresses {
  readonly host: string;
  /** All doors answer on each of them; 0 is any free one. */
  readonly ports: readonly number[];
  /** Connections at once, on each port. */
  readonly connections: number;
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
  /** Readiness off; what is inside is finished and answered, then all is closed. */
  drain(): Promise<void>;
  /** Closes all at once. */
  close(): Promise<void>;
}

/** Time for clients to let go of their connections once the last answer is sent, in milliseconds. */
const LETTING_GO_MS = 2000;

/** Time for the first bytes of a connection, in milliseconds. */
const FIRST_BYTE_MS = 10_000;

/** Opens all ports or none. Throws E_USAGE for one that is taken. */
export async function listen(addresses: Addresses, protocols: Protocols, inside: Inside): Promise<Listening> {
  const ports: OpenPort[] = [];
  const close = async (): Promise<void> => {
    for (const port of ports) port.close();
    await inside.close();
  };
  try {
    for (const port of addresses.ports)
      ports.push(await openPort({ ...addresses, port, firstByteMs: FIRST_BYTE_MS }, protocols));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    ports,
    close,
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
