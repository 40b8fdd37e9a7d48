import type { FastifyInstance, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';

/** What decides which pages of a browser may use a server. */
export interface Neighbourhood {
  /** The address that is listened on. */
  readonly host: string;
  readonly token?: string;
  /** What links begin with, when that is known. */
  readonly publicUrl?: string;
}

/**
 * Keeps the pages of other sites out, which a browser lets send pictures to any address it can reach: they may start
 * nothing, and where no token guards the server they may not pass themselves off as it by a name that leads to loopback.
 * Clients that are no browsers are not touched.
 */
export function keepForeignPagesOut(app: FastifyInstance, place: Neighbourhood): void {
  app.addHook('onRequest', async (request) => {
    const path = request.routeOptions.url ?? '';
    if (CHANGING.test(path) && !SAFE.has(request.method)) checkOrigin(request, place);
    if (place.token === undefined && isLoopback(place.host) && OWN_NAME_ONLY.test(path))
      checkName(request, place);
  });
}

/** Whether only this machine reaches what listens on an address. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d+){3}|::1|localhost)$/.test(host);
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Where work is handed in, pictures with it or by name. */
const CHANGING = /^\/(v1\/|imageapi$|create$)/;

/** The page, and what tells of pictures that others brought. */
const OWN_NAME_ONLY = /^\/($|page\/|v1\/jobs)/;

function checkOrigin(request: FastifyRequest, { publicUrl }: Neighbourhood): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  // only a browser sends it, and no page can change it
  if (site === 'same-origin' || site === 'none') return;
  if (
    site === undefined &&
    (origin === undefined || names(publicUrl, host, request.host).has(hostOf(origin)))
  )
    return;
  throw new ImgtoolError(
    'E_PERMISSION',
    expected('a request from this server’s own page, or from a program', 'one from a page of another site'),
    { field: 'origin' },
  );
}

/** DNS rebinding: a name of a stranger that leads to 127.0.0.1 makes his page one of ours in a browser's eyes. */
function checkName(request: FastifyRequest, { publicUrl }: Neighbourhood): void {
  // not what a proxy says of it: such a page may say that too
  const { host = '' } = request.headers;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (OWN_NAMES.test(name) || names(publicUrl).has(host)) return;
  throw new ImgtoolError(
    'E_PERMISSION',
    `${expected('localhost or an IP address as the name of this server', name === '' ? 'none' : name.slice(0, 100))}; other names are for --public-url or --token`,
    { field: 'host' },
  );
}

/** Names that no stranger can make lead here; an address needs none. */
const OWN_NAMES = /^(([\w-]+\.)*localhost|\d+(\.\d+){3}|\[[\da-f:.]+\])$/;

function names(
  publicUrl: string | undefined,
  ...hosts: readonly (string | undefined)[]
): ReadonlySet<string> {
  const known = publicUrl === undefined ? hosts : [new URL(publicUrl).host, ...hosts];
  return new Set(known.filter((host) => host !== undefined));
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : 'nobody';
}
