import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jobSchema } from '../../../src/server/http/job-json.js';
import { photos } from '../../support/fixtures.js';
import { bytesOf, direct, eventually, noise, server } from '../workshop.js';
import { ask, busy, ENDLESS, jobOf, look, reaches, submitted } from './jobs.js';

const [photo = ''] = photos();
const THUMB = { steps: [{ op: 'thumbnail', size: 100 }] };

describe('Prefer: respond-async', () => {
  it('answers with a job whose result is what the request would have been answered', async () => {
    const { url } = await server({ jobs: {} });
    const bytes = await bytesOf(photo);
    const response = await ask(url, bytes, { query: 'thumb=100&priority=urgent&name=sea.jpg' });
    expect(response.status).toBe(202);
    const job = await jobOf(response);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: `/v1/jobs/${job.id}`,
      'preference-applied': 'respond-async',
      'retry-after': '1',
      'cache-control': 'no-store',
    });
    expect(job).toMatchObject({
      kind: 'process',
      priority: 'urgent',
      name: 'sea.jpg',
      href: `/v1/jobs/${job.id}`,
    });
    expect(['queued', 'running']).toContain(job.state);
    const done = await reaches(url, job, 'succeeded');
    const result = await fetch(`${url}${done.outputs[0]?.href}`);
    const made = Buffer.from(await result.arrayBuffer());
    expect(made.equals(await direct(bytes, THUMB))).toBe(true);
    expect(done).toMatchObject({
      progress: 1,
      attempts: 1,
      source: { kind: 'upload' },
      outputs: [{ name: 'sea.jpg', type: 'image/jpeg', bytes: made.length, width: expect.any(Number) }],
    });
    // nothing is told that the description does not have
    expect(jobSchema.parse(done)).toEqual(done);
    const times = [done.created_at, done.started_at, done.finished_at, done.expires_at];
    expect(times.map((time) => Date.parse(time ?? ''))).toEqual(
      [...times].sort().map((time) => Date.parse(time ?? '')),
    );
    expect(Date.parse(done.expires_at ?? '') - Date.parse(done.finished_at ?? '')).toBe(86_400_000);
  });

  it('with wait answers 200 when the job ends in time, whether well or not', async () => {
    const { url } = await server({ jobs: {}, limits: { totalMs: 45_500 } });
    const prefer = 'respond-async, wait=60';
    const response = await ask(url, await bytesOf(photo), { prefer });
    expect(response.status).toBe(200);
    // no longer than a request may take
    expect(response.headers.get('preference-applied')).toBe('respond-async, wait=45');
    expect(response.headers.get('retry-after')).toBeNull();
    expect(response.headers.get('location')).toBe((await jobOf(response.clone() as Response)).href);
    expect(await jobOf(response)).toMatchObject({ state: 'succeeded', outputs: [{}] });
    const cut = (await bytesOf(photo)).subarray(0, 50_000);
    const failed = await ask(url, cut, { prefer });
    expect(failed.status).toBe(200);
    expect(await jobOf(failed)).toMatchObject({
      state: 'failed',
      error: { status: 422, code: 'E_DECODE', request_id: failed.headers.get('x-request-id') },
    });
  });

  it('with wait answers 202 when it does not', async () => {
    const { url } = await server({ jobs: {}, limits: { workers: 1 } });
    const response = await ask(url, await noise(1), { query: ENDLESS, prefer: 'respond-async, wait=1' });
    expect(response.status).toBe(202);
    expect(response.headers.get('preference-applied')).toBe('respond-async, wait=1');
    expect(await jobOf(response)).toMatchObject({ state: 'running', progress: 0.1 });
  });

  it('waits no longer than a request may take', async () => {
    const { url } = await server({
      jobs: {},
      limits: { workers: 1, totalMs: 3500 },
      roots: [dirname(photo)],
    });
    // taking in an upload would count
    const response = await fetch(`${url}/v1/image?src=${basename(photo)}&${ENDLESS}`, {
      headers: { prefer: 'respond-async, wait=60' },
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('preference-applied')).toBe('respond-async, wait=3');
  });

  it('goes on when the client that waits has left', async () => {
    const { url, free } = await busy({ limits: { totalMs: 60_000 } });
    const leave = new AbortController();
    const gone = fetch(`${url}/v1/process?thumb=100`, {
      method: 'POST',
      body: new Uint8Array(await bytesOf(photo)),
      headers: { prefer: 'respond-async, wait=60' },
      signal: leave.signal,
    });
    const end = gone.then(
      () => 'answered',
      () => 'gone',
    );
    const [job] = await eventually(async () => {
      const { jobs } = (await (await fetch(`${url}/v1/jobs?state=queued`)).json()) as {
        jobs: { href: string }[];
      };
      expect(jobs).toHaveLength(1);
      return jobs;
    });
    leave.abort();
    expect(await end).toBe('gone');
    await free();
    await reaches(url, job ?? { href: '' }, 'succeeded');
  });

  it('is what counts: without it, and with other preferences, all is as it was', async () => {
    const { url } = await server({ jobs: {} });
    const bytes = await bytesOf(photo);
    for (const prefer of ['wait=10', 'return=minimal, handling="respond-async"']) {
      const response = await ask(url, bytes, { prefer, query: 'thumb=100&priority=idle&name=a.jpg' });
      expect(response.status).toBe(200);
      expect(response.headers.get('preference-applied')).toBeNull();
      expect(Buffer.from(await response.arrayBuffer()).equals(await direct(bytes, THUMB))).toBe(true);
    }
    expect(await (await fetch(`${url}/v1/jobs`)).json()).toEqual({ jobs: [] });
  });

  it('takes a form, whose file name is the job’s', async () => {
    const { url } = await server({ jobs: {} });
    const recipe = JSON.stringify({ ...THUMB, outputs: [{ format: 'webp' }, { format: 'png' }] });
    const args = ['-sS', '-H', 'Prefer: respond-async', '-F', `image=@${photo};filename=../it's (1).tar.jpg`];
    const { stdout } = await execa('curl', [
      ...args,
      '-F',
      `recipe=${recipe}`,
      `${url}/v1/process?priority=batch`,
    ]);
    expect(await reaches(url, JSON.parse(stdout), 'succeeded')).toMatchObject({
      priority: 'batch',
      name: "it's (1).tar.jpg",
      outputs: [
        { name: "it's (1).tar-0.webp", type: 'image/webp' },
        { name: "it's (1).tar-1.png", type: 'image/png' },
      ],
    });
  });

  it('reads sizes too', async () => {
    const { url } = await server({ jobs: {}, roots: [dirname(photo)] });
    const headers = { prefer: 'respond-async' };
    const body = new Uint8Array(await bytesOf(photo));
    const facts = await (await fetch(`${url}/v1/size`, { method: 'POST', body })).json();
    const sent = await fetch(`${url}/v1/size?name=a.jpg`, { method: 'POST', body, headers });
    expect(await reaches(url, await jobOf(sent), 'succeeded')).toMatchObject({
      kind: 'size',
      name: 'a.jpg',
      value: facts,
      outputs: [],
    });
    const named = await fetch(`${url}/v1/size?src=${basename(photo)}`, { headers });
    expect(await reaches(url, await jobOf(named), 'succeeded')).toMatchObject({
      kind: 'size',
      source: { kind: 'path', path: basename(photo) },
      value: facts,
    });
  });

  it('refuses a recipe of too many results before it is queued', async () => {
    const { url, desk } = await server({ jobs: {} });
    const form = new FormData();
    form.set('image', new Blob([new Uint8Array(await bytesOf(photo))]));
    form.set('recipe', JSON.stringify({ outputs: Array.from({ length: 17 }, () => ({ format: 'png' })) }));
    const headers = { prefer: 'respond-async' };
    const response = await fetch(`${url}/v1/process`, { method: 'POST', body: form, headers });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'E_LIMIT_OUTPUT' });
    expect((await desk?.queue.counts())?.submitted).toBe(0);
  });

  it.each([
    ['thumbb=100', 400, 'E_USAGE'],
    ['op=nothing', 422, 'E_RECIPE'],
    ['thumb=100&priority=soon', 400, 'E_USAGE'],
    ['thumb=100&priority=idle&priority=idle', 400, 'E_USAGE'],
    ['thumb=100&name=a&name=b', 400, 'E_USAGE'],
  ])('refuses ?%s before it is queued', async (query, status, code) => {
    const { url, desk } = await server({ jobs: {} });
    const response = await ask(url, await bytesOf(photo), { query });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status, code });
    expect((await desk?.queue.counts())?.blobBytes).toBe(0);
  });

  it.each([
    ['nothing', () => Buffer.alloc(0), 422, 'E_EMPTY'],
    ['a zip', () => Buffer.from('PK\x03\x04zip'), 415, 'E_UNSUPPORTED'],
    ['a raw photograph', () => Buffer.from('FUJIFILMCCD-RAW 0201'), 415, 'E_UNSUPPORTED'],
  ])('refuses %s before it is queued', async (_, bytes, status, code) => {
    const { url, desk } = await server({ jobs: {} });
    const response = await ask(url, await bytes());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
    expect((await desk?.queue.counts())?.blobBytes).toBe(0);
  });

  it.each([
    ['waiting jobs', { queued: 0 }, 503, 'E_QUEUE_FULL'],
    ['jobs of one client', { tenantQueued: 0 }, 429, 'E_QUOTA'],
    ['bytes', { blobBytes: 1000 }, 503, 'E_QUEUE_FULL'],
    ['room on the disk', { reserve: 2 ** 60 }, 507, 'E_DISK_FULL'],
  ])('is refused for want of %s, and leaves nothing', async (_, limits, status, code) => {
    const { url, desk } = await server({ jobs: { limits } });
    const response = await ask(url, await bytesOf(photo));
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toEqual(
      status === 507 ? null : expect.stringMatching(/^\d+$/),
    );
    expect(await response.json()).toMatchObject({ code });
    expect((await desk?.queue.counts())?.blobBytes).toBe(0);
  });

  it('refuses one job more than may wait, and takes the next when there is room', async () => {
    const { url } = await server({ jobs: { limits: { queued: 1 } }, limits: { workers: 1 } });
    const bytes = await bytesOf(photo);
    const running = await submitted(url, await noise(1), { query: ENDLESS });
    await reaches(url, running, 'running');
    const waiting = await submitted(url, bytes);
    expect((await ask(url, bytes)).status).toBe(503);
    await eventually(async () => {
      expect(await (await fetch(`${url}/readyz`)).text()).toBe('job queue full\n');
    });
    await fetch(`${url}${waiting.href}`, { method: 'DELETE' });
    await submitted(url, bytes);
  });

  it('is not applied by a server without jobs, which says so where jobs would be', async () => {
    const { url } = await server();
    const response = await ask(url, await bytesOf(photo), { query: 'thumb=10&priority=urgent' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(response.headers.get('preference-applied')).toBeNull();
    for (const path of ['', '/stats', '/events', '/01980000-0000-7000-8000-000000000000/result']) {
      const none = await fetch(`${url}/v1/jobs${path}`);
      expect(none.status).toBe(404);
      expect(await none.json()).toMatchObject({
        code: 'E_NOT_FOUND',
        detail: expect.stringMatching('--jobs'),
      });
    }
  });

  it('gives links the public address', async () => {
    const { url } = await server({ jobs: {}, publicUrl: 'https://pictures.example.com/api' });
    const response = await ask(url, await bytesOf(photo));
    const { id, href } = await jobOf(response);
    expect(response.headers.get('location')).toBe(`https://pictures.example.com/api/v1/jobs/${id}`);
    expect(href).toBe(`/v1/jobs/${id}`);
  });

  it('is for those with the token', async () => {
    const { url } = await server({ jobs: {}, token: 'sesame' });
    for (const path of ['', '/stats', '/events', '/x', '/x/result', '/x/events'])
      expect((await fetch(`${url}/v1/jobs${path}`)).status).toBe(401);
  });
});

describe('a job over a source that the server opens', () => {
  const later = { headers: { prefer: 'respond-async' } };

  it('takes a path inside a root', async () => {
    const { url } = await server({ jobs: {}, roots: [dirname(photo)] });
    const response = await fetch(`${url}/v1/image?src=${basename(photo)}&thumb=100&format=auto`, {
      headers: { ...later.headers, accept: 'image/webp' },
    });
    const job = await reaches(url, await jobOf(response), 'succeeded');
    expect(job).toMatchObject({ source: { kind: 'path', path: basename(photo) } });
    expect(job.outputs).toMatchObject([{ name: 'image-0.webp', type: 'image/webp' }]);
    const none = await fetch(`${url}${job.href}/source`);
    expect(none.status).toBe(404);
  });

  it('takes a URL that is allowed, and fails by the same guards as a request', async () => {
    const bytes = await bytesOf(photo);
    const origin = createServer((_request, response) => response.end(bytes)).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    onTestFinished(() => void origin.close());
    const from = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const open = await server({ jobs: {}, urls: [from], allowPrivate: true });
    const ask = (url: string, src: string) =>
      fetch(`${url}/v1/image?src=${encodeURIComponent(src)}&thumb=100`, later).then(jobOf);
    const done = await reaches(open.url, await ask(open.url, `${from}/a.jpg`), 'succeeded');
    expect(done).toMatchObject({ source: { kind: 'url', url: `${from}/a.jpg` } });
    const refused = [
      [open.url, 'http://example.com/a.jpg'],
      [(await server({ jobs: {}, urls: ['*:*'] })).url, `${from}/a.jpg`],
      [(await server({ jobs: {}, roots: [dirname(photo)] })).url, '/etc/hosts'],
    ] as const;
    for (const [url, src] of refused)
      expect(await reaches(url, await ask(url, src), 'failed')).toMatchObject({
        error: { status: 403, code: 'E_PERMISSION' },
      });
  });

  it('is refused at once when such sources are off', async () => {
    const { url } = await server({ jobs: {} });
    for (const src of [photo, 'http://example.com/a.jpg', 'file:///etc/passwd']) {
      const response = await fetch(`${url}/v1/image?src=${encodeURIComponent(src)}`, later);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'E_PERMISSION' });
    }
    expect(await look(url, { href: '/v1/jobs' })).toEqual({ jobs: [] });
  });
});
