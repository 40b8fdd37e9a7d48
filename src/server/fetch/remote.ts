import { Agent, type Dispatcher, request } from 'undici';
import { expected, ImgtoolError } from '../../errors.js';
import type { ServerLimits } from '../limits.js';
import { type Spool, tooManyBytes, type Upload } from '../spool.js';
import { type AddressRules, checkLiteral, guardedConnector } from './guard.js';
import type { UrlPattern } from './patterns.js';

/** What a server may fetch. */
export interface RemoteRules extends AddressRules {
  readonly allow: readonly UrlPattern[];
}

type FetchLimits = Pick<ServerLimits, 'bytes' | 'redirects' | 'connectMs' | 'fetchMs'>;

/** Fetches pictures from URLs. */
export interface Remote {
  /**
   * Spools what a URL gives. Throws E_PERMISSION for a URL or an address that is not allowed, E_LIMIT_REDIRECTS,
   * E_LIMIT_BYTES, E_TIMEOUT, E_NOT_FOUND, E_READ, and the signal's reason.
   */
  fetch(url: string, spool: Spool, signal: AbortSignal): Promise<Upload>;
  /** Throws what `fetch` would throw for the text of a URL alone: E_PERMISSION, or E_USAGE. */
  check(url: string): void;
  close(): Promise<void>;
}

/** A fetcher with its own connections; proxies of the environment are not honoured. */
export function remote(rules: RemoteRules, limits: FetchLimits): Remote {
  const dispatcher = new Agent({
    connect: guardedConnector(rules, limits.connectMs),
    headersTimeout: limits.fetchMs,
    bodyTimeout: limits.fetchMs,
    maxHeaderSize: 16 * 1024,
  });
  return {
    async fetch(url, spool, signal) {
      const clock = AbortSignal.timeout(limits.fetchMs);
      const either = AbortSignal.any([signal, clock]);
      try {
        return await followed(url, { rules, limits, dispatcher, spool, signal: either });
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        throw explained(thrown, clock.aborted, limits.fetchMs);
      }
    },
    check: (url) => void allowed(url, undefined, rules),
    close: () => dispatcher.destroy(),
  };
}

interface Fetching {
  readonly rules: RemoteRules;
  readonly limits: FetchLimits;
  readonly dispatcher: Dispatcher;
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

/** Redirects are followed by hand, so that every address on the way is judged as the first was. */
async function followed(
  start: string,
  { rules, limits, dispatcher, spool, signal }: Fetching,
): Promise<Upload> {
  let url = allowed(start, undefined, rules);
  for (let hops = 0; ; hops += 1) {
    const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'imgtool' };
    const response = await request(url, { dispatcher, signal, headers, method: 'GET' });
    // to destroy a body that is not read to its end makes it complain
    response.body.on('error', () => undefined);
    const { location } = response.headers;
    if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string')
      return spooled(response, limits.bytes, spool, signal);
    response.body.destroy();
    if (hops === limits.redirects)
      throw failure('E_LIMIT_REDIRECTS', expected(`at most ${limits.redirects} redirects`, 'more'));
    url = allowed(location, url, rules);
  }
}

/** The URL, if it may be fetched. */
function allowed(text: string, base: URL | undefined, rules: RemoteRules): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw failure(
      'E_USAGE',
      expected('an http or https URL', base === undefined ? text : 'a redirect elsewhere'),
    );
  if (url.username !== '' || url.password !== '')
    throw failure('E_PERMISSION', expected('a URL without a user name', 'one with it'));
  if (!rules.allow.some((pattern) => pattern.matches(url)))
    throw failure('E_PERMISSION', expected('a URL that --allow-url allows', `one at ${url.host}`));
  checkLiteral(url, rules);
  return url;
}

async function spooled(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  most: number,
  spool: Spool,
  signal: AbortSignal,
): Promise<Upload> {
  try {
    if (statusCode === 404 || statusCode === 410)
      throw failure('E_NOT_FOUND', expected('a picture at the source', `status ${statusCode}`));
    if (statusCode !== 200) throw failure('E_READ', expected('status 200 from the source', `${statusCode}`));
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      throw failure('E_READ', expected('an answer that is not compressed', String(encoding)));
    if (Number(headers['content-length'] ?? 0) > most) throw tooManyBytes(most);
    return await spool.write(body, most, signal);
  } finally {
    body.destroy();
  }
}

/** The network's own errors, in words that tell no more of the network than that it failed. */
function explained(thrown: unknown, late: boolean, fetchMs: number): ImgtoolError {
  const codes = [thrown, (thrown as { cause?: unknown } | null)?.cause].map(
    (error) => (error as { code?: unknown } | null)?.code,
  );
  const slow = late || codes.some((code) => typeof code === 'string' && code.endsWith('TIMEOUT'));
  if (slow && (!(thrown instanceof ImgtoolError) || thrown.code === 'E_READ')) {
    return new ImgtoolError(
      'E_TIMEOUT',
      expected(`the source within ${fetchMs / 1000} s`, 'no whole answer'),
      {
        stage: 'read',
        cause: thrown,
      },
    );
  }
  if (thrown instanceof ImgtoolError) return thrown;
  return new ImgtoolError('E_READ', expected('an answer from the source', 'a failed connection'), {
    stage: 'read',
    cause: thrown,
  });
}

function failure(
  code: 'E_USAGE' | 'E_PERMISSION' | 'E_NOT_FOUND' | 'E_READ' | 'E_LIMIT_REDIRECTS',
  message: string,
) {
  return new ImgtoolError(code, message, { stage: 'read', field: 'src' });
}
