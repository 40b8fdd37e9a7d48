import { readFileSync } from 'node:fs';
import type { Interfaces } from '@oclif/core';
import { rootFrom } from '../src/server/fetch/roots.js';
import { type FrontOptions, startFront } from '../src/server/front.js';
import type { FrontSettings } from '../src/server/http/front-routes.js';
import type { ServerLimits } from '../src/server/limits.js';
import type { Listening } from '../src/server/listen.js';
import { type Logs, openLogs } from '../src/server/logs.js';
import { type ServerOptions, startServer } from '../src/server/server.js';
import type { ServeCommand } from './serve.js';
import { frontLines, startLines } from './serve-lines.js';
import { printable, say } from './terminal/streams.js';

/** What the parser makes of the flags of `serve`. */
export type ServeFlags = Interfaces.InferredFlags<typeof ServeCommand.flags>;

/** Serves until a signal ends it: SIGTERM or Ctrl-C finish what runs, a second one leaves at once. */
export async function serve(flags: ServeFlags): Promise<void> {
  const logs = logsFrom(flags);
  process.on('SIGHUP', () => logs.reopen());
  const { running, lines, leave } = await (flags.upstream === undefined
    ? startWhole(flags, logs)
    : startInFront(flags, flags.upstream, logs));
  for (const line of lines) say(printable(line));
  await firstSignal(leave);
  await running.drain();
  process.exitCode = 0;
}

/** Resolves at the first signal to end; the second one leaves at once. Listens all along: a signal in a gap would kill. */
function firstSignal(leave: () => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      process.on(signal, () => {
        if (asked) {
          leave();
          process.exit(code);
        }
        asked = true;
        say('finishing what runs; once more leaves at once');
        resolve();
      });
    }
  });
}

/** A server that was started, what it says, and what is left to clean when it leaves at once. */
interface Started {
  readonly running: Listening;
  readonly lines: readonly string[];
  leave(): void;
}

async function startWhole(flags: ServeFlags, logs: Logs): Promise<Started> {
  const options: ServerOptions = {
    ...commonFrom(flags, logs, 50_051),
    version: packageVersion(),
    roots: (flags.root ?? []).map(rootFrom),
    svg: flags.svg,
    env: decoderEnvironment(),
    messageBytes: flags['limit-message-bytes'] ?? 32 * 1024 * 1024,
    reflection: flags.reflection,
  };
  const running = await startServer(options);
  return {
    running,
    lines: startLines(options, running, flags.verbose),
    leave: () => running.service.spool.close(),
  };
}

async function startInFront(flags: ServeFlags, upstream: string, logs: Logs): Promise<Started> {
  const token = flags['upstream-token'];
  const common = commonFrom(flags, logs, 8080);
  const options: FrontOptions = { ...common, upstream, ...(token !== undefined && { upstreamToken: token }) };
  const running = await startFront(options);
  return { running, lines: frontLines(options, running), leave: () => running.spool.close() };
}

function commonFrom(flags: ServeFlags, logs: Logs, port: number) {
  const spoolIn = flags['spool-dir'];
  return {
    host: flags.host,
    ports: flags.port ?? [port],
    connections: flags.connections ?? 1000,
    ...(flags.token !== undefined && { token: flags.token }),
    urls: flags['allow-url'] ?? [],
    addresses: { allowPrivate: flags['allow-private'] },
    front: frontFrom(flags),
    ...(spoolIn !== undefined && { spoolIn }),
    limits: limitsFrom(flags),
    logs,
  };
}

function frontFrom(flags: ServeFlags): FrontSettings {
  const fit = FITS.find((known) => known === flags['scale-fit']) ?? 'fill';
  return { scale: flags['no-scale'] ? undefined : flags.scale, fit, grayscale: flags.grayscale };
}

const FITS = ['fill', 'inside', 'cover', 'contain'] as const;

function logsFrom(flags: ServeFlags): Logs {
  const folder = flags['log-dir'];
  return openLogs(folder === undefined ? { descriptor: 1 } : { folder });
}

function packageVersion(): string {
  // beside dist/cli, where the bundle of this file lies
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

/** The limits that were set. */
function limitsFrom(flags: ServeFlags): Partial<ServerLimits> {
  const set: { readonly [K in keyof ServerLimits]?: number | undefined } = {
    workers: flags.workers,
    queue: flags.queue,
    bytes: flags['limit-bytes'],
    pixels: flags['limit-pixels'],
    frames: flags['limit-frames'],
    outputPixels: flags['limit-output-pixels'],
    outputSide: flags['limit-output-side'],
    redirects: flags['limit-redirects'],
    connectMs: flags['limit-connect-ms'],
    fetchMs: flags['limit-fetch-ms'],
    totalMs: flags['limit-time-ms'],
  };
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}

/** Decoders read what strangers send: they get nothing of the environment that they do not need, and no secret. */
function decoderEnvironment(): Record<string, string | undefined> {
  const needed =
    /^(PATH|HOME|LANG|LC_\w+|TMPDIR|TEMP|TMP|SystemRoot|FONTCONFIG_\w+|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_\w+)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => needed.test(name)));
}
