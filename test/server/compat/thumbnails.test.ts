import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixture, photos } from '../../support/fixtures.js';
import { bytesOf, direct, server } from '../workshop.js';
import { ask, busy, compatServer, field, origin, until } from './ground.js';

const [photo = ''] = photos();
const THUMBNAIL = { steps: [{ op: 'thumbnail', size: 100 }] };

/** A server that may fetch from a place with a photo at every path but `/gone`, and a text at `/notes.jpg`. */
async function besideOrigin(options: Parameters<typeof compatServer>[0] = {}) {
  const bytes = await bytesOf(photo);
  const place = await origin((request, response) => {
    if (request.url === '/gone.jpg') response.writeHead(404).end();
    else response.end(request.url === '/notes.jpg' ? 'no picture' : bytes);
  });
  const running = await compatServer({ urls: [`${place}/`], allowPrivate: true, ...options });
  const post = (body: string) =>
    ask(`${running.url}/v1/thumbnails`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  const created = async (url: string) => field((await post(JSON.stringify({ url }))).text, 'id');
  const shown = (id: string) => `${running.url}/v1/thumbnails?id=${id}`;
  const ended = async (id: string) =>
    JSON.parse((await until(shown(id), ({ text }) => !text.includes('"status":"queued"'))).text) as Record<
      string,
      string
    >;
  return { ...running, place, bytes, post, created, shown, ended };
}

describe('POST /v1/thumbnails', () => {
  it('queues a thumbnail of a URL', async () => {
    const { post, place } = await besideOrigin();
    const said = await post(JSON.stringify({ url: `${place}/a.jpg`, more: 1 }));
    expect(said.status).toBe(201);
    expect(said.headers.get('content-type')).toMatch(/^application\/json/);
    expect(said.text).toMatch(
      /^\{"id":"[0-9a-f-]{36}","status":"queued","url":"http:\/\/127\.0\.0\.1:\d+\/a\.jpg"\}$/,
    );
  });

  it.each(['', '{}', '{"url":""}', '{"url":7}', '{"url":null}', 'null', '[]', '"http://a.b/"'])(
    'says that there is no url in %s',
    async (body) => {
      const { post } = await besideOrigin();
      const said = await post(body);
      expect(said.status).toBe(422);
      expect(said.text).toBe('"Error: No url provided. Please specify a url."');
      expect(said.headers.get('content-type')).toMatch(/^application\/json/);
    },
  );

  it('refuses what is no JSON, and too much of it', async () => {
    const { post } = await besideOrigin();
    const said = await post('{"url":');
    expect(said.status).toBe(400);
    expect(JSON.parse(said.text)).toMatchObject({ status: 400, message: expect.stringMatching('JSON') });
    expect((await post(`"${'x'.repeat(70_000)}"`)).status).toBe(413);
  });

  it('refuses a URL that is not allowed at once, and names the flag', async () => {
    const { post } = await besideOrigin();
    for (const url of [
      'http://example.com/a.jpg',
      'http://127.0.0.1:1/a.jpg',
      'http://user@127.0.0.1/',
      '/etc/passwd',
    ]) {
      const said = await post(JSON.stringify({ url }));
      expect(said.status).toBe(422);
      expect(JSON.parse(said.text)).toMatch(/^Error: expected /);
    }
    expect((await post('{"url":"http://example.com/a.jpg"}')).text).toMatch('--allow-url');
    const off = await compatServer();
    const body = '{"url":"http://example.com/a.jpg"}';
    const said = await ask(`${off.url}/v1/thumbnails`, { method: 'POST', body });
    expect(said.status).toBe(422);
    expect(said.text).toBe('"Error: URLs as sources are off on this server; --allow-url turns them on"');
  });

  it('says that the queue is full, that there is none, and that a token is missing', async () => {
    const running = await besideOrigin({ limits: { workers: 1 }, jobs: { limits: { queued: 1 } } });
    const free = await busy(running);
    const body = JSON.stringify({ url: `${running.place}/a.jpg` });
    expect((await running.post(body)).status).toBe(201);
    const full = await running.post(body);
    expect([full.status, full.headers.get('retry-after') !== null]).toEqual([503, true]);
    expect(JSON.parse(full.text)).toMatchObject({ status: 503 });
    await free();
    const compat = { names: ['thumbnails'], ttl: {} };
    const options = { compat, urls: ['http://example.com/'] };
    const permitted = '{"url":"http://example.com/a.jpg"}';
    const none = await server(options);
    const said = await ask(`${none.url}/v1/thumbnails`, { method: 'POST', body: permitted });
    expect(said.text).toBe(
      '{"status":503,"message":"queued work is off on this server; --jobs turns it on"}',
    );
    const closed = await server({ ...options, token: 'sesame' });
    for (const path of ['/v1/thumbnails?id=x', '/static/x.jpg'])
      expect(JSON.parse((await ask(`${closed.url}${path}`)).text)).toMatchObject({ status: 401 });
  });
});

describe('GET /v1/thumbnails', () => {
  it('tells of a thumbnail that waits, and then where it is', async () => {
    const running = await besideOrigin({ limits: { workers: 1 } });
    const free = await busy(running);
    const url = `${running.place}/way/Photo.JPG?size=1#top`;
    const id = await running.created(url);
    const waiting = await ask(running.shown(id));
    expect(waiting.status).toBe(200);
    expect(waiting.text).toBe(JSON.stringify({ id, status: 'queued', url }));
    await free();
    const said = await running.ended(id);
    const resized_url = `${running.url}/static/${id}.JPG`;
    expect(JSON.stringify(said)).toBe(JSON.stringify({ id, status: 'completed', url, resized_url }));
    const response = await fetch(resized_url);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toMatch('sandbox');
    const made = Buffer.from(await response.arrayBuffer());
    expect(made.equals(await direct(running.bytes, THUMBNAIL))).toBe(true);
  });

  it('tells why there is none', async () => {
    const { place, created, ended } = await besideOrigin();
    for (const [path, reason] of [
      ['/gone.jpg', /404/],
      ['/notes.jpg', /expected a picture/],
    ] as const) {
      const url = `${place}${path}`;
      const said = await ended(await created(url));
      expect(Object.keys(said)).toEqual(['id', 'status', 'url', 'error_message']);
      expect(said).toMatchObject({ status: 'failed', url, error_message: expect.stringMatching(reason) });
    }
  });

  it('does not know an unknown id, an empty one, and one of another door', async () => {
    const { url, desk } = await besideOrigin();
    const source = { kind: 'path', path: 'none.jpg' } as const;
    const other = await desk?.submit({ kind: 'size', recipe: {}, source, target: { kind: 'blob' } });
    for (const query of ['', '?id=', '?id=nobody', `?id=${other?.id}`]) {
      const said = await ask(`${url}/v1/thumbnails${query}`);
      expect(said.status).toBe(404);
      expect(said.text).toBe('{"status":404,"message":"Thumbnail ID not found"}');
    }
  });

  it('forgets record and file together', async () => {
    const { url, place, created, shown } = await besideOrigin({ compat: { ttl: { thumbnails: 5000 } } });
    const id = await created(`${place}/a.jpg`);
    await until(shown(id), ({ text }) => text.includes('completed'));
    expect((await fetch(`${url}/static/${id}.jpg`)).status).toBe(200);
    await until(shown(id), ({ status }) => status === 404);
    expect((await fetch(`${url}/static/${id}.jpg`)).status).toBe(404);
  });

  it('links to where its client found it, or to the public URL', async () => {
    const plain = await besideOrigin();
    const id = await plain.created(`${plain.place}/a.jpg`);
    await plain.ended(id);
    const { text } = await ask(plain.shown(id).replace('127.0.0.1', 'localhost'));
    expect(field(text, 'resized_url')).toBe(`http://localhost:${plain.port}/static/${id}.jpg`);
    const known = await besideOrigin({ publicUrl: 'https://pictures.example.com/api' });
    const other = await known.created(`${known.place}/a.jpg`);
    expect((await known.ended(other)).resized_url).toBe(
      `https://pictures.example.com/api/static/${other}.jpg`,
    );
  });
});

describe('GET /static/ID.ext', () => {
  it('is named by the extension in the URL, or by that of the picture where there is none', async () => {
    const { url, place, created, ended } = await besideOrigin();
    for (const [path, extension] of [
      ['/image.php', '.php'],
      ['/image', '.jpg'],
      ['/image.', '.jpg'],
      ['/image.j%22pg', '.jpg'],
      ['/image.tar.PNG', '.PNG'],
    ]) {
      const id = await created(`${place}${path}`);
      const said = await ended(id);
      expect(said.resized_url).toBe(`${url}/static/${id}${extension}`);
      const response = await fetch(`${said.resized_url}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    }
  });

  it('serves nothing else', async () => {
    const { url, place, created, ended, desk } = await besideOrigin();
    const id = await created(`${place}/a.jpg`);
    await ended(id);
    const blob = (await desk?.queue.blobs.put(await bytesOf(fixture('png/rgb16.png'))))?.blob;
    const wrong = [
      `${id}.png`,
      id,
      `${id}.jpg.jpg`,
      `${id}.jpg/`,
      `..%2f..%2f${id}.jpg`,
      `${blob}.jpg`,
      '..%2fjobs.sqlite',
      '%00',
      '',
    ];
    for (const name of wrong)
      expect([name, (await ask(`${url}/static/${name}`)).status]).toEqual([name, 404]);
  });
});

describe('what a URL may lead to', () => {
  it('is judged as any URL is: private addresses and redirects to them fail the job', async () => {
    const inner = createServer((_request, response) => response.end('secret')).listen(0, '127.0.0.1');
    onTestFinished(() => void inner.close());
    await once(inner, 'listening');
    const { port } = inner.address() as AddressInfo;
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const running = await compatServer({ urls: [`http://pictures.example.com:${port}/`], resolve });
    const body = JSON.stringify({ url: `http://pictures.example.com:${port}/a.jpg` });
    const { text } = await ask(`${running.url}/v1/thumbnails`, { method: 'POST', body });
    const shown = `${running.url}/v1/thumbnails?id=${field(text, 'id')}`;
    const said = await until(shown, (it) => it.text.includes('failed'));
    expect(field(said.text, 'error_message')).toMatch('expected a public address');
  });
});
