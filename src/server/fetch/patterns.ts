import { expected, ImgtoolError } from '../../errors.js';

/** Which URLs a server may fetch from. */
export interface UrlPattern {
  matches(url: URL): boolean;
}

/**
 * A pattern `[scheme://]host[:port][/path]`. The host is exact, `*.example.com` (any name below), or `*`; without a
 * port the scheme's own is meant, `:*` is any; the path is a prefix that ends where a folder does. Throws E_USAGE.
 */
export function urlPattern(text: string): UrlPattern {
  const match =
    /^(?:(https?):\/\/)?(\*|(?:\*\.)?[^/:@?#*\s[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}|\*))?(\/[^?#*]*)?\*?$/.exec(
      text,
    );
  if (match === null)
    throw new ImgtoolError('E_USAGE', expected('a pattern such as https://*.example.com/images/', text), {
      field: 'allow-url',
    });
  const [, scheme, host = '', port, path = '/'] = match;
  const hostMatches = hostMatcher(host);
  return {
    matches: (url) =>
      (scheme === undefined || url.protocol === `${scheme}:`) &&
      hostMatches(nameOf(url)) &&
      (port === '*' || portOf(url) === (port ?? ownPort(url))) &&
      under(url.pathname, path),
  };
}

function hostMatcher(pattern: string): (name: string) => boolean {
  if (pattern === '*') return () => true;
  // the URL parser lowers cases, turns Unicode to ASCII, and writes every form of an IP address in one way
  const name = nameOf(new URL(`http://${pattern.replace(/^\*\./, '')}/`));
  return pattern.startsWith('*.') ? (host) => host.endsWith(`.${name}`) : (host) => host === name;
}

/** `example.com.` is `example.com`. */
function nameOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

function ownPort({ protocol }: URL): string {
  return protocol === 'https:' ? '443' : '80';
}

function portOf(url: URL): string {
  return url.port === '' ? ownPort(url) : url.port;
}

function under(pathname: string, prefix: string): boolean {
  return pathname === prefix || pathname.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
