import { readFile } from 'node:fs/promises';
import { expected, ImgtoolError } from '../src/errors.js';
import type { Recipe } from '../src/recipe.js';
import {
  checkSteps,
  isLoopback,
  type Remote,
  type RemoteQueue,
  remote,
  remoteQueue,
  serverAddresses,
} from '../src/remote.js';
import type { RemoteFlags } from './flags/remote.js';
import { printable, say } from './terminal/streams.js';

/** Pictures in flight at each server, when nothing else is said: it works on some while others are on their way. */
const IN_FLIGHT = 8;

/** What bears on the use of servers. */
export interface ServerFlags extends RemoteFlags {
  readonly lenient: boolean;
  readonly concurrency: number | undefined;
  readonly quiet: boolean;
}

/** The servers that a run is to use, not connected to yet. */
export interface Servers {
  /** Pictures in flight. */
  readonly concurrency: number;
  /** Ready for the first picture; no new tries are made after `drain` is aborted. Patient ones wait for servers as long as it takes. */
  open(drain: AbortSignal, patient?: boolean): Remote;
  /** The same for pictures that are left there as jobs. */
  queue(drain: AbortSignal): RemoteQueue;
}

/** What the flags say of servers. Throws E_USAGE for what cannot be, before anything is sent. */
export async function serversFrom(
  flags: ServerFlags & { readonly server: string },
  recipe: Recipe,
): Promise<Servers> {
  const servers = serverAddresses(flags.server);
  const protocol = flags['server-protocol'] === 'nlimage' ? 'nlimage' : 'imgtool';
  if (protocol === 'nlimage') checkSteps(recipe);
  else if (flags.lenient) throw usage('--lenient without --server', 'both', '--lenient');
  const { token } = flags;
  const open = servers.find((server) => !server.tls && !isLoopback(server));
  if (token !== undefined && open !== undefined)
    say(
      printable(`warning: the token goes to ${open.target} for all to read; https:// in front encrypts it`),
    );
  const concurrency = flags.concurrency ?? IN_FLIGHT * servers.length;
  const most = flags.concurrency ?? IN_FLIGHT;
  const ca = flags.ca === undefined ? undefined : await certificates(flags.ca);
  const tell = flags.quiet ? () => undefined : tellStanding;
  const common = { servers, protocol, token, ca, most, tell } as const;
  return {
    concurrency,
    open: (drain, patient = false) => remote({ ...common, drain, patient }),
    queue: (drain) => remoteQueue({ ...common, drain, patient: false }, recipe),
  };
}

async function certificates(file: string): Promise<Buffer> {
  const text = await readFile(file).catch((cause: unknown) => {
    throw usage('a readable file of certificates', file, '--ca', cause);
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw usage('certificates in PEM', `something else in ${file}`, '--ca');
}

function tellStanding({
  server,
  error,
}: {
  readonly server: string;
  readonly error: ImgtoolError | undefined;
}) {
  say(printable(error === undefined ? `${server} answers again` : `${error.message}; trying again`));
}

function usage(wanted: string, received: string, field: string, cause?: unknown): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected(wanted, received), { stage: 'plan', field, cause });
}
