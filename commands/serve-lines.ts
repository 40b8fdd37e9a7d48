import type { FrontOptions } from '../src/server/front.js';
import type { Listening } from '../src/server/listen.js';
import type { RunningServer, ServerOptions } from '../src/server/server.js';

/** What a server says when it starts: at most six lines, and the whole configuration when asked, secrets left out. */
export function startLines(
  options: ServerOptions,
  { ports, service }: RunningServer,
  verbose: boolean,
): string[] {
  const addresses = ports.map(({ port }) => `http://${bracketed(options.host)}:${port}`);
  const [first = ''] = addresses;
  const lines = [
    `imgtool ${options.version} serves HTTP and gRPC on ${addresses.join(', ')} (docs: ${first}/docs)`,
    `  try    curl --data-binary @photo.jpg -o small.jpg '${first}/v1/process?thumb=100'`,
    `  or     imgtool client --port ${ports[0]?.port} --input photo.jpg --output results --mean`,
    `  data   ${service.spool.folder} (uploads while they are worked on; goes with the server)`,
    `  off    ${whatIsOff(options)}`,
  ];
  if (isOpen(options))
    lines.push(
      '  warning: anyone who can reach this address can use it; --token lets in only those who know it',
    );
  if (!verbose) return lines;
  const { logs: _logs, env: _env, token, ...shown } = options;
  const config = { ...shown, limits: service.limits, token: token === undefined ? 'none' : 'set' };
  return [...lines, ...JSON.stringify(config, null, 2).split('\n')];
}

/** What a front says when it starts. */
export function frontLines({ host, upstream, front }: FrontOptions, { ports }: Listening): string[] {
  const addresses = ports.map(({ port }) => `http://${bracketed(host)}:${port}`);
  const makes = [front.scale && `${front.scale} (${front.fit})`, front.grayscale && 'gray'].filter(Boolean);
  return [
    `imgtool serves /image on ${addresses.join(', ')}, in front of ${upstream}`,
    `  makes  ${makes.length === 0 ? 'the same picture' : makes.join(', ')}`,
    `  try    curl --data-binary @photo.jpg -o small.jpg '${addresses[0]}/image'`,
  ];
}

function whatIsOff({ urls, roots, svg, token, addresses }: ServerOptions): string {
  const off = [
    urls.length === 0 && 'URLs as sources (--allow-url)',
    roots.length === 0 && 'paths (--root)',
    !addresses.allowPrivate && 'private addresses (--allow-private)',
    svg !== true && 'SVG (--svg)',
    token === undefined && 'access control (--token)',
  ].filter((item) => item !== false);
  return off.length === 0 ? 'nothing' : off.join(', ');
}

function isOpen({ host, token }: ServerOptions): boolean {
  return token === undefined && !['127.0.0.1', '::1', 'localhost'].includes(host);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
