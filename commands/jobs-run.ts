import { readFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { type JobJson, type RemoteJobs, remoteJobs } from '../src/remote/jobs.js';
import { errorText } from '../src/report/text.js';
import type { JobServerFlags } from './flags/job-server.js';
import { endLine, jobLines, jobTable } from './jobs-print.js';
import { printable, say, writeData } from './terminal/streams.js';

/** Jobs that are asked for at a time. */
const AT_ONCE = 32;

/** Prints the jobs at a server. */
export async function listJobs(
  flags: JobServerFlags & { readonly state: string | undefined; readonly limit: number },
): Promise<void> {
  await atServer(flags, async (server) => {
    const { jobs, more } = await server.list(flags);
    if (flags.json) return writeDocument({ jobs, more });
    await writeLines(jobTable(jobs, Date.now()));
    if (more) say(`there are more; --limit ${flags.limit * 2} lists the next`);
  });
}

/** Prints all fields of a job. */
export async function showJob(id: string, flags: JobServerFlags): Promise<void> {
  await atServer(flags, async (server) => {
    const job = await server.get(id);
    await (flags.json ? writeDocument(job) : writeLines(jobLines(job)));
  });
}

/** Cancels jobs and gives the exit code: 1 when one of them could not be. */
export function cancelJobs(ids: readonly string[], flags: JobServerFlags): Promise<number> {
  return forEach(ids, flags, async (server, id) => {
    const cancelled = await server.cancel(id);
    return { id, line: cancelled ? `${id} cancelled` : `${id} runs, and is told to stop`, good: true };
  });
}

/** Queues jobs anew and gives the exit code: 1 when one of them could not be. */
export function retryJobs(ids: readonly string[], flags: JobServerFlags): Promise<number> {
  return forEach(ids, flags, async (server, id) => {
    const job = await server.retry(id);
    return { id, job, line: `${id} queued`, good: true };
  });
}

/** Waits for jobs and gives the exit code: 1 unless all of them succeeded in time. */
export function waitForJobs(
  ids: readonly string[],
  flags: JobServerFlags & { readonly timeout: number | undefined },
): Promise<number> {
  const { timeout = Number.POSITIVE_INFINITY } = flags;
  const signal = Number.isFinite(timeout)
    ? AbortSignal.timeout(Math.min(timeout, LONGEST_TIMER))
    : new AbortController().signal;
  let isTold = flags.json;
  const waiting = (): void => {
    if (!isTold) say(printable(`waiting for jobs at ${flags.server}`));
    isTold = true;
  };
  return forEach(ids, flags, async (server, id) => {
    try {
      const job = await server.ended(id, signal, waiting);
      return { id, job, line: endLine(job), good: job.state === 'succeeded' };
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      throw new ImgtoolError('E_TIMEOUT', expected(`its end within ${timeout / 1000} s`, 'none'), {
        field: '--timeout',
      });
    }
  });
}

/** What setTimeout can count to, in milliseconds; it takes anything above for 1. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What became of one of several jobs. */
interface Answer {
  readonly id: string;
  readonly line: string;
  readonly good: boolean;
  readonly job?: JobJson;
  readonly error?: ImgtoolError;
}

/** Asks for each job and tells what came of it; a server that does not answer at all ends the command. */
async function forEach(
  ids: readonly string[],
  flags: JobServerFlags,
  ask: (server: RemoteJobs, id: string) => Promise<Answer>,
): Promise<number> {
  return atServer(flags, async (server) => {
    const limit = pLimit(AT_ONCE);
    const answers = await Promise.all(
      [...new Set(ids)].map((id) =>
        limit(async () => {
          const answer = await ask(server, id).catch((thrown: unknown) => refused(id, thrown));
          if (!flags.json || !answer.good) say(answer.line);
          return answer;
        }),
      ),
    );
    if (flags.json)
      await writeDocument({
        jobs: answers.map(({ id, job, error }) => job ?? { id, ...(error && { error }) }),
      });
    return answers.every(({ good }) => good) ? 0 : 1;
  });
}

function refused(id: string, thrown: unknown): Answer {
  const error = toImgtoolError(thrown, 'E_UPSTREAM');
  if (error.code === 'E_UPSTREAM' || error.code === 'E_AUTH') throw error;
  return { id, error, line: printable(`${id}: ${errorText(error)}`), good: false };
}

async function atServer<T>(flags: JobServerFlags, work: (server: RemoteJobs) => Promise<T>): Promise<T> {
  const ca = flags.ca === undefined ? undefined : await readFile(flags.ca);
  const server = remoteJobs({ url: serverUrl(flags.server), token: flags.token, ca });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** The address of a server as `--server` of all commands may name it. Throws E_USAGE. */
function serverUrl(text: string): URL {
  const full = /^[a-z]+:\/\//i.test(text) ? text.replace(/^grpc(s?):/i, 'http$1:') : `http://${text}`;
  const url = URL.canParse(full) && !full.includes(',') ? new URL(full) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '') return url;
  throw new ImgtoolError(
    'E_USAGE',
    expected('the address of one server, such as http://127.0.0.1:50051', text),
    {
      field: '--server',
    },
  );
}

async function writeLines(lines: readonly string[]): Promise<void> {
  await writeData(`${lines.join('\n')}\n`);
}

async function writeDocument(document: object): Promise<void> {
  await writeData(`${JSON.stringify(document, null, 2)}\n`);
}
