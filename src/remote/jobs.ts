import { type Dispatcher, Pool } from 'undici';
import { ERRORS, type ErrorCode, expected, ImgtoolError } from '../errors.js';
import type { JobJson } from '../server/http/job-json.js';
import type { Problem } from '../server/http/problem.js';
import { eventsOf } from './server-events.js';

export type { JobJson } from '../server/http/job-json.js';

/** Which server's jobs, and what it wants. */
export interface JobServer {
  /** `http://host:port`, with a path where a proxy has one. */
  readonly url: URL;
  readonly token: string | undefined;
  /** Certificates of the authorities that it is trusted by, in PEM; those that Node knows by default. */
  readonly ca: Buffer | undefined;
}

/** Which jobs to list. */
export interface JobQuery {
  readonly state: string | undefined;
  /** At most so many, in as many pages as it takes. */
  readonly limit: number;
}

/** The jobs at a server. All throw the errors that the server names, and E_UPSTREAM when it does not answer. */
export interface RemoteJobs {
  /** The newest first; `more` when there are others. */
  list(query: JobQuery): Promise<{ readonly jobs: readonly JobJson[]; readonly more: boolean }>;
  get(id: string): Promise<JobJson>;
  /** Whether it ended at once; one that runs is told to stop. */
  cancel(id: string): Promise<boolean>;
  retry(id: string): Promise<JobJson>;
  /**
   * The job once it has ended; `waiting` is called when it turns out that it has not. A connection that breaks after that
   * is made anew. Throws the signal's reason too.
   */
  ended(id: string, signal: AbortSignal, waiting: () => void): Promise<JobJson>;
  close(): Promise<void>;
}

/** Most that one page holds. */
const PAGE = 1000;

/** Longer than the server is ever silent on a stream: a heart beats there every 15 s. */
const SILENCE_MS = 45_000;

/** A client of the jobs at a server, which connects when it is first used. */
export function remoteJobs(server: JobServer): RemoteJobs {
  return new Client(server);
}

type Method = 'GET' | 'POST' | 'DELETE';

class Client implements RemoteJobs {
  readonly #server: JobServer;
  readonly #pool: Pool;

  constructor(server: JobServer) {
    this.#server = server;
    const { ca } = server;
    const connect = { timeout: 10_000, ...(ca && { ca }) };
    this.#pool = new Pool(server.url.origin, {
      connect,
      bodyTimeout: SILENCE_MS,
      headersTimeout: SILENCE_MS,
    });
  }

  async list({ state, limit }: JobQuery) {
    const jobs: JobJson[] = [];
    let next: string | undefined;
    do {
      const query = new URLSearchParams({ limit: `${Math.min(PAGE, limit - jobs.length)}` });
      if (state !== undefined) query.set('state', state);
      if (next !== undefined) query.set('cursor', next);
      const page = await this.#json<{ jobs: JobJson[]; next?: string }>('GET', `?${query}`);
      jobs.push(...page.jobs);
      next = page.next;
    } while (next !== undefined && jobs.length < limit);
    return { jobs, more: next !== undefined };
  }

  get(id: string): Promise<JobJson> {
    return this.#json('GET', pathOf(id));
  }

  async cancel(id: string): Promise<boolean> {
    const { statusCode, body } = await this.#asked('DELETE', pathOf(id));
    await body.dump();
    return statusCode === 204;
  }

  retry(id: string): Promise<JobJson> {
    return this.#json('POST', `${pathOf(id)}/retry`);
  }

  async ended(id: string, signal: AbortSignal, waiting: () => void): Promise<JobJson> {
    let isKnown = false;
    let failures = 0;
    for (;;) {
      try {
        const { body } = await this.#asked('GET', `${pathOf(id)}/events`, signal);
        for await (const data of eventsOf(body)) {
          failures = 0;
          const job = JSON.parse(data) as JobJson;
          if (isOver(job)) return job;
          if (!isKnown) waiting();
          isKnown = true;
        }
      } catch (thrown) {
        signal.throwIfAborted();
        // what was never there will not come; what was there may be starting again
        if (!isPassing(thrown) || !isKnown || failures === PATIENCE) throw this.#unanswered(thrown);
      }
      failures += 1;
      await pause(Math.min(2000, 100 * 2 ** failures), signal);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #json<T>(method: Method, path: string): Promise<T> {
    const { body } = await this.#asked(method, path);
    return (await body.json()) as T;
  }

  /** An answer that is no error. */
  async #asked(method: Method, path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { url, token } = this.#server;
    const response = await this.#pool
      .request({
        method,
        path: `${url.pathname.replace(/\/$/, '')}/v1/jobs${path}`,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(signal && { signal }),
      })
      .catch((thrown: unknown) => {
        signal?.throwIfAborted();
        throw this.#unanswered(thrown);
      });
    if (response.statusCode < 400) return response;
    throw refusal(response.statusCode, await response.body.text(), url);
  }

  #unanswered(thrown: unknown): ImgtoolError {
    if (thrown instanceof ImgtoolError) return thrown;
    const { message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { origin, port, protocol } = this.#server.url;
    const start = `imgtool serve --port ${port || (protocol === 'https:' ? 443 : 80)}`;
    return new ImgtoolError(
      'E_UPSTREAM',
      `${expected(`an answer from ${origin}`, message || 'none')}; ${start} starts a server, --server names another`,
      { cause: thrown },
    );
  }
}

/** How often in a row a stream that broke is taken up again: for about a minute. */
const PATIENCE = 30;

function isPassing(thrown: unknown): boolean {
  return !(thrown instanceof ImgtoolError) || thrown.code === 'E_UPSTREAM' || thrown.code === 'E_DRAINING';
}

function isOver({ state }: JobJson): boolean {
  return state !== 'queued' && state !== 'running';
}

function pathOf(id: string): string {
  return `/${encodeURIComponent(id)}`;
}

/** The error that a problem document names; what answers otherwise is no server of ours. */
function refusal(status: number, text: string, { origin }: URL): ImgtoolError {
  const problem = problemIn(text);
  const code = problem?.code ?? '';
  if (problem !== undefined && isCode(code)) {
    const field = code === 'E_AUTH' ? { field: '--token' } : {};
    return new ImgtoolError(code, problem.detail, field);
  }
  return new ImgtoolError(
    'E_UPSTREAM',
    expected(`an answer of imgtool serve from ${origin}`, `HTTP ${status}`),
  );
}

function problemIn(text: string): Problem | undefined {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return undefined;
  }
}

function isCode(text: string): text is ErrorCode {
  return text in ERRORS;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
    signal.addEventListener('abort', done);
  });
}
