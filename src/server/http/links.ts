import type { FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';

/** The address that links in an answer begin with, without a slash at its end: `https://pictures.example.com`. */
export type LinkBase = (request: FastifyRequest) => string;

/**
 * Links begin with the public URL when there is one; else with what a trusted proxy says that its client asked for; else with
 * what the request itself says.
 */
export function linkBase(publicUrl: string | undefined): LinkBase {
  if (publicUrl !== undefined) return () => publicUrl;
  // the framework looks at a proxy's headers only when the proxy is one of those that are trusted
  return (request) => {
    const { protocol, host } = request;
    const scheme = protocol === 'https' ? 'https' : 'http';
    const asked = [host, request.headers.host ?? ''].find((name) => HOST.test(name));
    return `${scheme}://${asked ?? ownAddress(request)}`;
  };
}

/** A public URL as links use it. Throws E_USAGE for one that is none. */
export function publicUrlFrom(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !/[?#]/.test(text);
  if (!isPlain || url.username !== '' || url.password !== '')
    throw new ImgtoolError(
      'E_USAGE',
      expected('an http or https URL without user, query or fragment', text),
      { field: 'public-url' },
    );
  return url.href.replace(/\/+$/, '');
}

/** A host name or address with its port and nothing else: what is put into links must not end them, or begin others. */
const HOST = /^(?=.{1,255}$)([a-z\d]([\w.-]*[a-z\d])?\.?|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** Where the request arrived, for clients that do not say what they asked for. */
function ownAddress({ socket }: FastifyRequest): string {
  const { localAddress = 'localhost', localPort } = socket;
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
