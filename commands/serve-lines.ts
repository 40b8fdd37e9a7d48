import type { FrontOptions } from '../src/server/front.js';
import { isLoopback } from '../src/server/http/foreign.js';
import type { Listening } from '../src/server/listen.js';
import type { OpenPort } from '../src/server/ports.js';
import type { CommonOptions, RunningServer, ServerOptions } from '../src/server/server.js';
import type { Origins } from './serve-settings.js';

/** What is said beside the options. */
interface Told {
  readonly origins: Origins;
  /** Whether another start finds the data again. */
  readonly lasts: boolean;
  readonly verbose: boolean;
}

/** What a server says when it starts: at most six lines, and the whole configuration when asked, secrets left out. */
export function startLines(
  options: ServerOptions,
  { ports, service }: RunningServer,
  { origins, lasts, verbose }: Told,
): string[] {
  const addresses = addressesOf(options, ports);
  const first = options.publicUrl ?? addresses[0] ?? '';
  const more = [...configured(origins), ...warnings(options)];
  const lines = [
    `imgtool ${options.version} serves HTTP and gRPC on ${addresses.join(', ')} (${page(options, first)}docs: ${first}/docs)`,
    `  try    curl --data-binary @photo.jpg -o small.jpg '${first}/v1/process?thumb=100'`,
    ...(more.length > 1
      ? []
      : [
          `  or     imgtool resize photo.jpg --thumb 100 --server ${(addresses[0] ?? '').replace(/^http:\/\//, '')}`,
        ]),
    `  data   ${dataOf(options, lasts)}`,
    `  off    ${whatIsOff(options)}`,
    ...more,
  ];
  if (!verbose) return lines;
  const { logs: _logs, env: _env, token, ...shown } = options;
  const config = { ...shown, limits: service.limits, token: token === undefined ? 'none' : 'set' };
  return [...lines, ...JSON.stringify(config, null, 2).split('\n')];
}

/** What a front says when it starts. */
export function frontLines(options: FrontOptions, { ports }: Listening, origins: Origins): string[] {
  const { upstream, front } = options;
  const addresses = addressesOf(options, ports);
  const makes = [front.scale && `${front.scale} (${front.fit})`, front.grayscale && 'gray'].filter(Boolean);
  return [
    `imgtool serves /image on ${addresses.join(', ')}, in front of ${upstream}`,
    `  makes  ${makes.length === 0 ? 'the same picture' : makes.join(', ')}`,
    `  try    curl --data-binary @photo.jpg -o small.jpg '${options.publicUrl ?? addresses[0]}/image'`,
    ...configured(origins),
    ...warnings(options),
  ];
}

/** Everyone can reach what listens beyond this machine, so the page is off there until a token guards it. */
function page({ host, token }: CommonOptions, address: string): string {
  return isLoopback(host) || token !== undefined ? `page: ${address}/, ` : '';
}

function dataOf({ jobs, compat }: ServerOptions, lasts: boolean): string {
  if (jobs === undefined) return 'none is kept';
  const bucket = compat?.bucketParent === undefined ? '' : `; ${compat.bucketParent} (uploads of /create)`;
  if (!lasts) return `${jobs.folder} (goes with the server; --data-dir keeps it)${bucket}`;
  return `${jobs.folder} (queued jobs, and results for ${jobs.ttl / 3_600_000} h)${bucket}`;
}

function whatIsOff({ urls, roots, svg, token, addresses, jobs, compat }: ServerOptions): string {
  const off = [
    urls.length === 0 && 'URLs as sources (--allow-url)',
    roots.length === 0 && 'paths (--root)',
    !addresses.allowPrivate && 'private addresses (--allow-private)',
    jobs === undefined && 'queued jobs (--jobs)',
    compat?.names.length === 0 && 'APIs of other services (--compat)',
    svg !== true && 'SVG (--svg)',
    token === undefined && 'access control (--token)',
  ].filter((item) => item !== false);
  return off.length === 0 ? 'nothing' : off.join(', ');
}

/** Files that say something that holds: one that was found in a folder above is otherwise easily overlooked. */
function configured(origins: Origins): string[] {
  const files = [...origins].map(([file, keys]) => `${file} (${keys.join(', ')})`);
  return files.length === 0 ? [] : [`  config ${files.join(', ')}`];
}

/** Beyond this machine, a server without keys is everyone's, and one without TLS is read along the way. */
function warnings({ host, token, tls }: CommonOptions): string[] {
  if (isLoopback(host)) return [];
  const open = [
    token === undefined && 'anyone who can reach this address can use it (--token lets in those who know it)',
    tls === undefined && 'what is sent can be read on the way (--tls-cert, --tls-key)',
  ].filter((item) => item !== false);
  return open.length === 0 ? [] : [`  warning: ${open.join('; ')}`];
}

function addressesOf({ host, tls }: CommonOptions, ports: readonly OpenPort[]): string[] {
  const scheme = tls === undefined ? 'http' : 'https';
  return ports.map(({ port }) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
}
