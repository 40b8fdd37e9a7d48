import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { expected, ImgtoolError } from '../../errors.js';
import { isPublicAddress } from './address.js';

/** Finds the addresses of a name. */
export type Resolve = (
  name: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Which addresses may be connected to. */
export interface AddressRules {
  /** Private addresses too: an intranet, a test. */
  readonly allowPrivate: boolean;
  /** The system's own resolver when left out. */
  readonly resolve?: Resolve;
}

/** Throws E_PERMISSION for a URL whose host is written as an address that is not allowed: no name is looked up for those. */
export function checkLiteral(url: URL, { allowPrivate }: AddressRules): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw denied();
}

/**
 * Connects to allowed addresses only. The answer that was checked is the one connected to, so a name that changes its
 * answer in between gains nothing; and the peer's address is checked once more when the connection stands.
 */
export function guardedConnector(rules: AddressRules, connectMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMs, lookup: checkedLookup(rules) });
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      // undici leaves the socket undefined beside an error, whatever its types say
      if (error !== null || rules.allowPrivate || isPublicAddress(socket.remoteAddress ?? '')) {
        callback(...result);
        return;
      }
      socket.destroy();
      callback(denied(), null);
    });
}

const systemResolve: Resolve = (name) => lookup(name, { all: true, verbatim: true });

/** One private address among several is enough to refuse them all; so is none. */
function checkedLookup({ allowPrivate, resolve = systemResolve }: AddressRules): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const [first] = found;
        if (first === undefined) callback(notFound(name), '', 0);
        else if (!allowPrivate && !found.every(({ address }) => isPublicAddress(address)))
          callback(denied(), '', 0);
        else if (options.all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (cause: Error) => callback(cause, '', 0),
    );
  };
}

function denied(): ImgtoolError {
  const message = `${expected('a public address', 'a private one')}; --allow-private allows those`;
  return new ImgtoolError('E_PERMISSION', message, { stage: 'read', field: 'src' });
}

function notFound(name: string): ImgtoolError {
  return new ImgtoolError('E_READ', expected(`an address for ${name}`, 'none'), {
    stage: 'read',
    field: 'src',
  });
}
