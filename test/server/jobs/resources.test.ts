import { request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JobJson } from '../../../src/server/http/job-json.js';
import { statsSchema } from '../../../src/server/http/job-stats.js';
import { fixture, photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, direct, eventually, server } from '../workshop.js';
import { ask, busy, jobOf, look, reaches, submitted } from './jobs.js';

const [photo = ''] = photos();

describe('GET /v1/jobs/ID', () => {
  it('tells of a job that failed, with why, and 304 to those who know', async () => {
    const { url } = await server({ jobs: {} });
    const cut = (await bytesOf(photo)).subarray(0, 50_000);
    const job = await reaches(url, await submitted(url, cut), 'failed');
    expect(job.error).toMatchObject({ status: 422, code: 'E_DECODE', title: expect.any(String) });
    const response = await fetch(`${url}${job.href}`);
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    const etag = response.headers.get('etag') ?? '';
    const headers = { 'if-none-match': `"other", W/${etag}` };
    const again = await request(`${url}${job.href}`, { headers });
    expect([again.statusCode, await again.body.text()]).toEqual([304, '']);
    const head = await fetch(`${url}${job.href}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    const result = await fetch(`${url}${job.href}/result`);
    expect(result.status).toBe(422);
    expect(await result.json()).toMatchObject({
      code: 'E_DECODE',
      request_id: result.headers.get('x-request-id'),
    });
  });

  it('has another tag after each change', async () => {
    const { url, endless } = await busy();
    const waiting = await submitted(url, await bytesOf(photo));
    const tag = async () => (await fetch(`${url}${waiting.href}`)).headers.get('etag');
    const queued = await tag();
    expect(await tag()).toBe(queued);
    await fetch(`${url}${endless.href}`, { method: 'DELETE' });
    await reaches(url, waiting, 'succeeded');
    expect(await tag()).not.toBe(queued);
  });

  it('is 404 for a job that never was, whatever its id, and 410 for one that expired', async () => {
    const { url } = await server({ jobs: { ttl: 30 } });
    for (const id of ['01980000-0000-7000-8000-000000000000', 'x', '%2e%2e%2f', `${'a'.repeat(3000)}`])
      for (const path of ['', '/result', '/result/1', '/source', '/events']) {
        const response = await fetch(`${url}/v1/jobs/${id}${path}`);
        expect(response.status).toBe(404);
        expect(await response.json()).toMatchObject({ code: 'E_NOT_FOUND' });
      }
    const job = await submitted(url, await bytesOf(photo));
    await eventually(async () => expect((await fetch(`${url}${job.href}`)).status).toBe(410));
    for (const path of ['/result', '/result/0', '/source', '/events']) {
      const response = await fetch(`${url}${job.href}${path}`);
      expect(response.status).toBe(410);
      expect(await response.json()).toMatchObject({ code: 'E_EXPIRED' });
    }
    for (const [path, method] of [
      ['', 'DELETE'],
      ['/retry', 'POST'],
    ] as const)
      expect((await fetch(`${url}${job.href}${path}`, { method })).status).toBe(410);
  });
});

describe('GET /v1/jobs/ID/result', () => {
  it('sends what was made, piece by piece, to be kept until it expires', async () => {
    const { url } = await server({ jobs: { ttl: 3_600_000 } });
    const bytes = await bytesOf(photo);
    const job = await reaches(
      url,
      await submitted(url, bytes, { query: 'width=1200&format=webp' }),
      'succeeded',
    );
    const steps = [{ op: 'resize', width: 1200 }];
    const made = await direct(bytes, { steps, outputs: [{ format: 'webp' }] });
    for (const path of ['/result', '/result/0']) {
      const response = await fetch(`${url}${job.href}${path}`);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'image/webp',
        'content-length': `${made.length}`,
        'content-disposition': expect.stringMatching(/^inline; filename="image-0.webp"/),
        'cache-control': expect.stringMatching(/^private, max-age=3[56]\d\d$/),
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
        etag: expect.stringMatching(/^"[\w-]+"$/),
      });
      expect(Buffer.from(await response.arrayBuffer()).equals(made)).toBe(true);
      const etag = response.headers.get('etag') ?? '';
      const again = await request(`${url}${job.href}${path}`, { headers: { 'if-none-match': etag } });
      expect([again.statusCode, await again.body.text()]).toEqual([304, '']);
      const head = await request(`${url}${job.href}${path}`, { method: 'HEAD' });
      expect([head.statusCode, head.headers['content-length']]).toEqual([200, `${made.length}`]);
      expect(await head.body.text()).toBe('');
    }
    expect((await fetch(`${url}${job.href}/result/1`)).status).toBe(404);
    expect((await fetch(`${url}${job.href}/result/-1`)).status).toBe(404);
  });

  it('says 409 and when to look again while there is none', async () => {
    const { url, endless } = await busy();
    const response = await fetch(`${url}${endless.href}/result`);
    expect(response.status).toBe(409);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ code: 'E_JOB_UNFINISHED' });
  });

  it('is 404 for a job that makes no pictures', async () => {
    const { url } = await server({ jobs: {} });
    const init = { method: 'POST', body: new Uint8Array(await bytesOf(photo)) };
    const response = await fetch(`${url}/v1/size`, { ...init, headers: { prefer: 'respond-async' } });
    const job = await reaches(url, await jobOf(response), 'succeeded');
    expect((await fetch(`${url}${job.href}/result`)).status).toBe(404);
  });

  it('names the file as the client did, and lets no name do harm', async () => {
    const { url } = await server({ jobs: {} });
    const name = '"; filename=evil.exe\r\nSet-Cookie: a=b\r\n\r\n<script>\u202egnp.写真.PNG';
    const job = await submitted(url, await bytesOf(photo), {
      query: `thumb=10&name=${encodeURIComponent(name)}`,
    });
    await reaches(url, job, 'succeeded');
    for (const path of ['/result', '/source']) {
      const { headers } = await fetch(`${url}${job.href}${path}`);
      expect(headers.get('set-cookie')).toBeNull();
      const [, shown, coded] =
        /^(?:inline|attachment); filename="([^"]*)"; filename\*=UTF-8''(\S+)$/.exec(
          headers.get('content-disposition') ?? '',
        ) ?? [];
      const extension = path === '/result' ? 'jpg' : 'PNG';
      expect(shown).toBe(`_; filename=evil.exeSet-Cookie: a=b<script>gnp.__.${extension}`);
      expect(decodeURIComponent(coded ?? '')).toBe(
        `"; filename=evil.exeSet-Cookie: a=b<script>gnp.写真.${extension}`,
      );
    }
  });
});

describe('GET /v1/jobs/ID/source', () => {
  it('gives an upload back by what it is, never as a page', async () => {
    const { url } = await server({ jobs: {}, svg: true });
    const bytes = await bytesOf(fixture('hostile/svg-script.svg'));
    const job = await submitted(url, bytes, { query: 'thumb=10&format=png&name=a.html' });
    const response = await fetch(`${url}${job.href}/source`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-disposition': expect.stringMatching(/^attachment; filename="a.html"/),
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    const text = await submitted(url, Buffer.from('<!doctype html><script>alert(1)</script>'));
    const { headers } = await fetch(`${url}${text.href}/source`);
    expect(headers.get('content-type')).toBe('application/octet-stream');
  });
});

describe('DELETE /v1/jobs/ID', () => {
  it('cancels a job that waits, at once', async () => {
    const { url } = await busy();
    const waiting = await submitted(url, await bytesOf(photo));
    const response = await fetch(`${url}${waiting.href}`, { method: 'DELETE' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect((await look(url, waiting)).state).toBe('cancelled');
    expect((await fetch(`${url}${waiting.href}/result`)).status).toBe(404);
  });

  it('tells a running job to stop, which frees its worker', async () => {
    const { url, endless, service } = await busy();
    const response = await fetch(`${url}${endless.href}`, { method: 'DELETE' });
    expect(response.status).toBe(202);
    expect(await jobOf(response)).toMatchObject({ id: endless.id, state: 'running' });
    const { error } = await reaches(url, endless, 'cancelled');
    expect(error).toBeUndefined();
    await eventually(() => expect(service.state().running).toBe(0));
  });

  it('is 409 for a job that has ended', async () => {
    const { url } = await server({ jobs: {} });
    const job = await reaches(url, await submitted(url, await bytesOf(photo)), 'succeeded');
    const response = await fetch(`${url}${job.href}`, { method: 'DELETE' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'E_JOB_FINISHED' });
  });
});

describe('POST /v1/jobs/ID/retry', () => {
  it('queues a cancelled job anew, with its upload', async () => {
    const { url, endless } = await busy();
    const waiting = await submitted(url, await bytesOf(photo));
    await fetch(`${url}${waiting.href}`, { method: 'DELETE' });
    const response = await fetch(`${url}${waiting.href}/retry`, { method: 'POST' });
    expect(response.status).toBe(202);
    expect(await jobOf(response)).toMatchObject({ id: waiting.id, state: 'queued', attempts: 0 });
    await fetch(`${url}${endless.href}`, { method: 'DELETE' });
    await reaches(url, waiting, 'succeeded');
  });

  it('is 409 for others', async () => {
    const { url, endless } = await busy();
    const retry = (job: JobJson) => fetch(`${url}${job.href}/retry`, { method: 'POST' });
    const unfinished = await retry(endless);
    expect(unfinished.status).toBe(409);
    expect(await unfinished.json()).toMatchObject({ code: 'E_JOB_UNFINISHED' });
    const job = await submitted(url, await bytesOf(photo));
    await fetch(`${url}${endless.href}`, { method: 'DELETE' });
    const finished = await retry(await reaches(url, job, 'succeeded'));
    expect(finished.status).toBe(409);
    expect(await finished.json()).toMatchObject({ code: 'E_JOB_FINISHED' });
  });
});

describe('GET /v1/jobs', () => {
  it('lists all jobs page by page, the newest first, and those of a state', async () => {
    const { url, endless } = await busy();
    const bytes = await bytesOf(photo);
    const ids: string[] = [endless.id];
    for (let n = 0; n < 7; n += 1) ids.unshift((await submitted(url, bytes)).id);
    await fetch(`${url}/v1/jobs/${ids[2]}`, { method: 'DELETE' });
    const listed = async (query: string) => {
      const pages: string[][] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const response = await fetch(`${url}/v1/jobs?${query}${cursor && `&cursor=${cursor}`}`);
        const page = (await response.json()) as { jobs: JobJson[]; next?: string };
        pages.push(page.jobs.map(({ id }) => id));
        cursor = page.next;
      }
      return pages;
    };
    const all = await listed('limit=3');
    expect(all.map(({ length }) => length)).toEqual([3, 3, 2]);
    expect(all.flat()).toEqual(ids);
    expect((await listed('state=queued&limit=5')).flat()).toEqual(ids.filter((_, n) => n !== 2 && n !== 7));
    expect(await listed('state=cancelled')).toEqual([[ids[2]]]);
    expect(await listed('state=failed')).toEqual([[]]);
  });

  it.each(['state=done', 'limit=0', 'limit=1001', 'limit=many', 'cursor=!', 'page=2', 'limit=1&limit=2'])(
    'refuses ?%s',
    async (query) => {
      const { url } = await server({ jobs: {} });
      const response = await fetch(`${url}/v1/jobs?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 'E_USAGE',
        errors: [{ pointer: `#/${query.split('=')[0]}` }],
      });
    },
  );
});

describe('GET /v1/jobs/stats', () => {
  it('tells how the queue stands', async () => {
    const { url, service } = await busy();
    await submitted(url, await bytesOf(photo), { query: 'thumb=10&priority=batch' });
    const stats = (await (await fetch(`${url}/v1/jobs/stats`)).json()) as Record<string, unknown>;
    expect(stats).toMatchObject({
      depth: { queued: { batch: 1, normal: 0 }, running: { normal: 1 } },
      submitted: 2,
      finished: 0,
      workers: { busy: service.state().workersBusy },
      running: 1,
      draining: false,
    });
    expect(statsSchema.parse(stats)).toEqual(stats);
    expect(stats.oldest_ms).toBeGreaterThanOrEqual(0);
    expect(stats.blob_bytes).toBeGreaterThan(0);
  });
});

describe('a server that goes down', () => {
  it('lets nobody wait for a job, and keeps what has not ended for the next', async () => {
    const warnings: string[] = [];
    const warned = ({ message }: Error) => void warnings.push(message);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const folder = await tempDir();
    const first = await busy({ jobs: { folder } });
    const bytes = await bytesOf(photo);
    const waiting = Array.from({ length: 12 }, () =>
      ask(first.url, bytes, { prefer: 'respond-async, wait=15' }),
    );
    await eventually(async () => expect((await first.desk?.queue.counts())?.submitted).toBe(13));
    const drained = first.drain();
    const answers = await Promise.all(waiting);
    const jobs = await Promise.all(answers.map(jobOf));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['queued']));
    // until it has ended the server waits for what runs
    await first.desk?.queue.cancel(first.endless.id);
    await drained;
    await expect(fetch(`${first.url}/v1/jobs`)).rejects.toThrow();
    const { url } = await server({ jobs: { folder } });
    expect((await look(url, first.endless)).state).toBe('cancelled');
    for (const job of jobs) await reaches(url, job, 'succeeded');
    expect(warnings).toEqual([]);
  });

  it('may be closed at once while it waits for what runs, which the next does again', async () => {
    const folder = await tempDir();
    const { drain, close, endless } = await busy({ jobs: { folder } });
    const drained = drain();
    await Promise.all([close(), drained]);
    const { url } = await server({ jobs: { folder } });
    expect(['queued', 'running']).toContain((await look(url, endless)).state);
  });
});
