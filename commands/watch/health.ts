import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ImgtoolError } from '../../src/errors.js';
import type { Summary } from '../../src/report/tally.js';
import type { WatchState } from '../../src/watch.js';

/** What the answers tell of. */
export interface Vitals {
  state(): WatchState;
  summary(): Summary;
}

/** The health answers, while they are given. */
export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers /livez, /readyz and /metrics on a port of this machine only; 0 takes a free one. Throws E_USAGE when it is taken. */
export async function openHealth(port: number | undefined, vitals: Vitals): Promise<Health | undefined> {
  if (port === undefined) return undefined;
  const server = createServer((request, response) => answer(request.url ?? '', response, vitals));
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (thrown) {
    const why = (thrown as NodeJS.ErrnoException).code ?? 'an error';
    throw new ImgtoolError('E_USAGE', `expected a free port, received ${port} (${why})`, {
      field: '--health-port',
      cause: thrown,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(url: string, response: ServerResponse, vitals: Vitals): void {
  const path = url.split('?')[0];
  if (path === '/livez') send(response, 200, 'ok\n');
  else if (path === '/readyz') {
    const { ready } = vitals.state();
    send(response, ready ? 200 : 503, ready ? 'ok\n' : 'catching up, or a folder is gone\n');
  } else if (path === '/metrics') send(response, 200, metricsText(vitals), 'text/plain; version=0.0.4');
  else send(response, 404, 'not found\n');
}

function send(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' });
  response.end(text);
}

/** Prometheus' text format (version 0.0.4). */
function metricsText(vitals: Vitals): string {
  const { waiting, running, folders, ready } = vitals.state();
  const { done, skipped, failed, bytesIn, bytesOut } = vitals.summary();
  return [
    ...metric('pictures_total', 'counter', 'Pictures by what became of them.', [
      ['{status="done"}', done],
      ['{status="skipped"}', skipped],
      ['{status="failed"}', failed],
    ]),
    ...metric('read_bytes_total', 'counter', 'Bytes of the pictures processed.', [['', bytesIn]]),
    ...metric('written_bytes_total', 'counter', 'Bytes of the results written.', [['', bytesOut]]),
    ...metric('waiting', 'gauge', 'Pictures waiting.', [['', waiting]]),
    ...metric('running', 'gauge', 'Pictures in work.', [['', running]]),
    ...metric('folders', 'gauge', 'Folders watched, subfolders included.', [['', folders]]),
    ...metric('ready', 'gauge', 'Whether it has caught up and all folders are there.', [['', ready ? 1 : 0]]),
    '',
  ].join('\n');
}

function metric(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): readonly string[] {
  const full = `imgtool_watch_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...values.map(([labels, value]) => `${full}${labels} ${value}`),
  ];
}
