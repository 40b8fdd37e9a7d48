import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import type { CompatOptions } from '../../../src/server/compat/index.js';
import { ENDLESS, noise, server, type TestServer } from '../workshop.js';

const SOON = { timeout: 30_000 };

/** All APIs of other services, with what they keep as they keep it. */
const ALL: CompatOptions = { names: ['imageapi', 'thumbnails', 'upload-poll'], ttl: {} };

/** A server with a queue that answers the APIs of other services too. */
export function compatServer({
  compat,
  ...options
}: Omit<TestServer, 'compat'> & { compat?: Partial<CompatOptions> } = {}) {
  return server({ jobs: {}, ...options, compat: { ...ALL, ...compat } });
}

/** What was answered, the body as it came. */
export interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Asks and reads the whole answer. */
export async function ask(url: string, init?: RequestInit): Promise<Said> {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Asks until the answer is as wanted. */
export async function until(url: string, wanted: (said: Said) => boolean): Promise<Said> {
  return vi.waitFor(
    async () => {
      const said = await ask(url);
      expect(wanted(said), said.text).toBe(true);
      return said;
    },
    { ...SOON, interval: 20 },
  );
}

/** A named string in an answer. */
export function field(text: string, name: string): string {
  const [, value] = new RegExp(`"${name}":"([^"]*)"`).exec(text) ?? [];
  if (value === undefined) throw new Error(`expected a ${name}, received ${text}`);
  return value;
}

/** Keeps the only worker of a server busy until what it gives is called. */
export async function busy({ desk }: Awaited<ReturnType<typeof server>>): Promise<() => Promise<void>> {
  if (desk === undefined) throw new Error('expected a server with a queue');
  const { blob } = await desk.queue.blobs.put(await noise(1));
  const { id } = await desk.submit({
    kind: 'process',
    recipe: ENDLESS,
    source: { kind: 'blob', blob },
    target: { kind: 'blob' },
  });
  await vi.waitFor(async () => expect((await desk.find(id)).state).toBe('running'), SOON);
  return async () => void (await desk.queue.cancel(id));
}

/** A place on this machine that pictures are fetched from; closed when the running test ends. */
export async function origin(answer: RequestListener): Promise<string> {
  const http = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}
