import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import type { JobJson } from '../../../src/server/http/job-json.js';
import { eventually, noise, server } from '../workshop.js';

/** How a test asks for a job. */
export interface Asking {
  readonly query?: string;
  /** The `Prefer` header. */
  readonly prefer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a picture to be processed later. */
export function ask(
  url: string,
  bytes: Uint8Array,
  { query = 'thumb=100', prefer = 'respond-async', headers }: Asking = {},
): Promise<Response> {
  const init = { method: 'POST', body: new Uint8Array(bytes), headers: { prefer, ...headers } };
  return fetch(`${url}/v1/process?${query}`, init);
}

/** The job that was accepted. */
export async function submitted(url: string, bytes: Uint8Array, asking?: Asking): Promise<JobJson> {
  const response = await ask(url, bytes, asking);
  expect(response.status, await response.clone().text()).toBe(202);
  return jobOf(response);
}

/** The job in an answer. */
export async function jobOf(response: Response): Promise<JobJson> {
  return (await response.json()) as JobJson;
}

/** How a job stands. */
export async function look(url: string, { href }: Pick<JobJson, 'href'>): Promise<JobJson> {
  return jobOf(await fetch(`${url}${href}`));
}

/** A job once it is in a state. */
export function reaches(url: string, job: Pick<JobJson, 'href'>, state: JobJson['state']): Promise<JobJson> {
  return eventually(async () => {
    const now = await look(url, job);
    expect(now.state, JSON.stringify(now.error)).toBe(state);
    return now;
  });
}

/** The query of work that takes an encoder far longer than a test runs. */
export const ENDLESS = 'format=avif&effort=9&quality=90';

/** A server with one worker, which an endless job holds until it is freed: what comes after it waits. */
export async function busy(options: Parameters<typeof server>[0] = {}) {
  const running = await server({ jobs: {}, ...options, limits: { ...options.limits, workers: 1 } });
  const endless = await submitted(running.url, await noise(1), { query: ENDLESS });
  await reaches(running.url, endless, 'running');
  // a job runs from when it is taken up, which may be before there is a decoder
  await eventually(() => expect(running.service.state().workersBusy).toHaveLength(1));
  const free = () => fetch(`${running.url}${endless.href}`, { method: 'DELETE' });
  return { ...running, endless, free };
}

/** An event as a client got it. */
export interface Told {
  readonly event: string;
  readonly id: string;
  readonly job: JobJson;
}

/** Somebody who listens to `text/event-stream`, until the running test ends. */
export class Watcher {
  readonly told: Told[] = [];
  /** Everything as it came. */
  text = '';
  /** The id that a client would come back with: also one that came without an event. */
  last = '';
  ended = false;
  readonly response: IncomingMessage;
  readonly #request: ClientRequest;

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.response = response;
    let rest = '';
    response.setEncoding('utf8');
    response.on('error', () => undefined);
    response.on('end', () => {
      this.ended = true;
    });
    response.on('data', (text: string) => {
      this.text += text;
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#read(block);
    });
  }

  /** The names of the events, in order. */
  get names(): string[] {
    return this.told.map(({ event }) => event);
  }

  /** Resolves with the last event once one has this name. */
  async hears(name: string): Promise<Told> {
    return eventually(() => {
      const found = this.told.find(({ event }) => event === name);
      if (found === undefined) throw new Error(`expected the event ${name}, received ${this.names.join()}`);
      return found;
    });
  }

  /** Resolves once the server has ended the stream. */
  async isOver(): Promise<void> {
    await eventually(() => expect(this.ended).toBe(true));
  }

  leave(): void {
    this.#request.destroy();
  }

  #read(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const [name = '', ...value] = line.split(': ');
        return [name, value.join(': ')];
      }),
    );
    this.last = fields.get('id') ?? this.last;
    const data = fields.get('data');
    if (data === undefined) return;
    this.told.push({ event: fields.get('event') ?? '', id: this.last, job: JSON.parse(data) as JobJson });
  }
}

/** Begins to watch `/v1/jobs/ID/events` or `/v1/jobs/events`. */
export async function watch(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watcher> {
  const request = get(`${url}${path}`, { agent: false, headers });
  request.on('error', () => undefined);
  onTestFinished(() => void request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return new Watcher(request, response);
}
