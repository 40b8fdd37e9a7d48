import { readFileSync } from 'node:fs';
import type { Interfaces } from '@oclif/core';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { type CompatOptions, compatNames } from '../src/server/compat/index.js';
import { rootFrom } from '../src/server/fetch/roots.js';
import { type FrontOptions, startFront } from '../src/server/front.js';
import type { FrontSettings } from '../src/server/http/front-routes.js';
import { publicUrlFrom } from '../src/server/http/links.js';
import type { JobOptions } from '../src/server/jobs/desk.js';
import type { ServerLimits } from '../src/server/limits.js';
import type { Listening } from '../src/server/listen.js';
import { type Logs, openLogs } from '../src/server/logs.js';
import { type ServerOptions, startServer } from '../src/server/server.js';
import type { TlsFiles } from '../src/server/tls.js';
import type { ServeCommand } from './serve.js';
import { type DataFolder, dataFolder } from './serve-data.js';
import { frontLines, startLines } from './serve-lines.js';
import type { Origins } from './serve-settings.js';
import { printable, say } from './terminal/streams.js';

/** What the parser makes of the flags of `serve`. */
export type ServeFlags = Interfaces.InferredFlags<typeof ServeCommand.flags>;

/** Serves until a signal ends it: SIGTERM or Ctrl-C finish what runs, a second one leaves at once. */
export async function serve(flags: ServeFlags, origins: Origins): Promise<void> {
  const logs = await logsFrom(flags);
  process.on('SIGHUP', () => logs.reopen());
  const { running, lines, leave } = await (flags.upstream === undefined
    ? startWhole(flags, logs, origins)
    : startInFront(flags, flags.upstream, logs, origins));
  process.on('SIGHUP', () => renewCertificate(running, logs));
  // who has read the lines may send one at once
  const told = firstSignal(leave);
  for (const line of lines) say(printable(line));
  await told;
  await running.drain();
  leave();
  process.exitCode = 0;
}

/** A certificate that will not do is no reason to end a server that has a good one. */
function renewCertificate(running: Listening, logs: Logs): void {
  try {
    running.renewCertificate();
  } catch (thrown) {
    const { message } = toImgtoolError(thrown, 'E_USAGE');
    logs.errors.error({ err: thrown }, `the certificate stays as it was: ${message}`);
  }
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

/** A server that was started, what it says, and how what goes with it is removed. */
interface Started {
  readonly running: Listening;
  readonly lines: readonly string[];
  leave(): void;
}

/** The port of a whole server when none is said. */
const WHOLE_PORT = 50_051;

async function startWhole(flags: ServeFlags, logs: Logs, origins: Origins): Promise<Started> {
  const data = flags.jobs ? dataFolder(flags['data-dir'], flags.port?.[0] ?? WHOLE_PORT) : undefined;
  const options: ServerOptions = {
    ...commonFrom(flags, logs, WHOLE_PORT),
    version: packageVersion(),
    roots: (flags.root ?? []).map(rootFrom),
    svg: flags.svg,
    env: decoderEnvironment(),
    ...(data && { jobs: jobsFrom(flags, data) }),
    compat: compatFrom(flags),
    messageBytes: flags['limit-message-bytes'] ?? 32 * 1024 * 1024,
    reflection: flags.reflection,
  };
  const running = await startServer(options).catch((thrown: unknown) => {
    data?.leave();
    throw thrown;
  });
  return {
    running,
    lines: startLines(options, running, { origins, lasts: data?.lasts ?? false, verbose: flags.verbose }),
    leave() {
      running.service.spool.close();
      data?.leave();
    },
  };
}

async function startInFront(
  flags: ServeFlags,
  upstream: string,
  logs: Logs,
  origins: Origins,
): Promise<Started> {
  const token = flags['upstream-token'];
  const common = commonFrom(flags, logs, 8080);
  const options: FrontOptions = { ...common, upstream, ...(token !== undefined && { upstreamToken: token }) };
  const running = await startFront(options);
  return { running, lines: frontLines(options, running, origins), leave: () => running.spool.close() };
}

function commonFrom(flags: ServeFlags, logs: Logs, port: number) {
  const { 'spool-dir': spoolIn, 'public-url': publicUrl, 'trust-proxy': trustProxy } = flags;
  return {
    host: flags.host,
    ports: flags.port ?? [port],
    connections: flags.connections ?? 1000,
    ...tlsFrom(flags),
    ...(publicUrl !== undefined && { publicUrl: publicUrlFrom(publicUrl) }),
    ...(trustProxy !== undefined && { trustProxy }),
    ...(flags.token !== undefined && { token: flags.token }),
    urls: flags['allow-url'] ?? [],
    addresses: { allowPrivate: flags['allow-private'] },
    front: frontFrom(flags),
    ...(spoolIn !== undefined && { spoolIn }),
    limits: limitsFrom(flags),
    logs,
  };
}

function tlsFrom(flags: ServeFlags): { tls?: TlsFiles } {
  const { 'tls-cert': cert, 'tls-key': key } = flags;
  if (cert !== undefined && key !== undefined) return { tls: { cert, key } };
  if (cert === undefined && key === undefined) return {};
  const [given, field] = key === undefined ? ['--tls-cert', 'tls-key'] : ['--tls-key', 'tls-cert'];
  throw new ImgtoolError('E_USAGE', expected(`--${field} beside ${given}`, 'none'), { field });
}

function jobsFrom(flags: ServeFlags, data: DataFolder): JobOptions {
  const queued = flags['limit-jobs'];
  const blobBytes = flags['limit-job-bytes'];
  return {
    folder: data.path,
    ttl: flags['job-ttl'] ?? DAY_MS,
    limitMs: flags['limit-job-ms'] ?? 300_000,
    limits: { ...(queued !== undefined && { queued }), ...(blobBytes !== undefined && { blobBytes }) },
  };
}

function compatFrom(flags: ServeFlags): CompatOptions {
  const { 'imageapi-ttl': imageapi, 'thumbnail-ttl': thumbnails, 'bucket-parent': bucketParent } = flags;
  return {
    names: compatNames(flags.compat),
    ttl: { ...(imageapi !== undefined && { imageapi }), ...(thumbnails !== undefined && { thumbnails }) },
    ...(bucketParent !== undefined && { bucketParent }),
  };
}

const DAY_MS = 86_400_000;

function frontFrom(flags: ServeFlags): FrontSettings {
  const fit = FITS.find((known) => known === flags['scale-fit']) ?? 'fill';
  return { scale: flags['no-scale'] ? undefined : flags.scale, fit, grayscale: flags.grayscale };
}

const FITS = ['fill', 'inside', 'cover', 'contain'] as const;

function logsFrom(flags: ServeFlags): Promise<Logs> {
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
