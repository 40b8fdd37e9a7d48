import { expected, ImgtoolError } from '../errors.js';

/** A server as `--server` names it. */
export interface ServerAddress {
  /** `host:port`, an IPv6 address in brackets. */
  readonly target: string;
  readonly tls: boolean;
}

/** Reads `host:port[,host:port]`, each with `https://` or `grpcs://` in front for TLS. Throws E_USAGE. */
export function serverAddresses(text: string): readonly [ServerAddress, ...ServerAddress[]] {
  const [first, ...rest] = text.split(',').map((part) => serverAddress(part.trim()));
  if (first === undefined) throw unreadable(text);
  return [first, ...rest];
}

/** Whether what is sent there stays on this machine. */
export function isLoopback({ target }: ServerAddress): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]):/i.test(target);
}

const PLAIN: ReadonlySet<string> = new Set(['http', 'grpc']);
const SECURE: ReadonlySet<string> = new Set(['https', 'grpcs']);

function serverAddress(text: string): ServerAddress {
  const match = /^(?:(?<scheme>[a-z]+):\/\/)?(?<host>[\w.-]+|\[[\da-f:.]+\]):(?<port>\d{1,5})\/?$/i.exec(
    text,
  );
  const { scheme = 'grpc', host = '', port = '' } = match?.groups ?? {};
  const known = PLAIN.has(scheme) || SECURE.has(scheme);
  if (match === null || !known || Number(port) < 1 || Number(port) > 65_535) throw unreadable(text);
  return { target: `${host}:${port}`, tls: SECURE.has(scheme) };
}

function unreadable(text: string): ImgtoolError {
  const wanted = 'host:port, or https://host:port for TLS, several of them with commas between';
  return new ImgtoolError('E_USAGE', expected(wanted, text === '' ? 'nothing' : text), {
    stage: 'plan',
    field: '--server',
  });
}
