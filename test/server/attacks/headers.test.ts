import { connect } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, photos } from '../../support/fixtures.js';
import { bytesOf, server } from '../workshop.js';
import { unharmed } from './doors.js';

const [photo = ''] = photos();
const name = photo.split('/').pop() ?? '';

type Url = string;
type Ask = (url: Url) => Promise<Response>;

function posted(path: string, type = 'image/jpeg'): Ask {
  return async (url) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      body: new Uint8Array(await bytesOf(photo)),
      headers: { 'content-type': type },
    });
}

function form(recipe: object, filename: string): Ask {
  return async (url) => {
    const body = new FormData();
    body.set('image', new Blob([new Uint8Array(await bytesOf(photo))]), filename);
    body.set('recipe', JSON.stringify(recipe));
    return fetch(`${url}/v1/process`, { method: 'POST', body });
  };
}

const SEVERAL = { steps: [{ op: 'thumbnail' }], outputs: [{ format: 'png' }, { format: 'webp' }] };

const PICTURES: readonly (readonly [string, Ask])[] = [
  ['POST /v1/process', posted('/v1/process?thumb=10')],
  ['POST /v1/process of a page', posted('/v1/process?thumb=10', 'text/html')],
  ['POST /v1/process of a form', form({ steps: [{ op: 'thumbnail' }] }, 'a"; filename="x.html\r\nX-Evil: 1')],
  ['POST /v1/process with several results', form(SEVERAL, '../../../etc/passwd')],
  ['GET /v1/image', (url) => fetch(`${url}/v1/image?src=${name}&thumb=10`)],
  ['GET /v1/image for a new format', (url) => fetch(`${url}/v1/image?src=${name}&thumb=10&format=auto`)],
  ['POST /image', posted('/image')],
];

/** Requests that fail, each in its own way, at each route. */
const FAILURES: readonly (readonly [string, number, Ask])[] = [
  ['a bad query', 400, posted('/v1/process?nonsense=1')],
  ['a query with line ends', 400, posted('/v1/process?a%0d%0aSet-Cookie:%20x=1')],
  ['no picture', 415, (url) => fetch(`${url}/v1/process`, { method: 'POST', body: '<script>x</script>' })],
  ['no such file', 404, (url) => fetch(`${url}/v1/image?src=${encodeURIComponent('<script>.jpg')}`)],
  ['a path outside', 403, (url) => fetch(`${url}/v1/image?src=/etc/passwd`)],
  ['no such route', 404, (url) => fetch(`${url}/v1/nothing?<script>`)],
  ['a text that is no URL', 400, (url) => fetch(`${url}/image`, { method: 'POST', body: 'javascript:x' })],
  ['a size of nothing', 422, (url) => fetch(`${url}/v1/size`, { method: 'POST', body: '' })],
];

async function rooted() {
  return server({ roots: [dirname(photo)] });
}

describe('an answer', () => {
  it.each(PICTURES)('to %s can be taken for nothing but a picture', async (_, ask) => {
    const at = await rooted();
    const response = await ask(at.url);
    expect(response.status).toBe(200);
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'content-type': expect.stringMatching(
        /^(image\/(jpeg|png|webp)|multipart\/mixed; boundary="imgtool-[\w-]+")$/,
      ),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(headers['content-disposition'] ?? 'none').toMatch(/^(inline; filename="image\.\w+"|none)$/);
    expect(headers).not.toHaveProperty('x-evil');
    const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
    expect(text).not.toMatch(/x-evil|passwd|x\.html/i);
    await unharmed(at);
  });

  it.each(PICTURES.filter(([what]) => !what.endsWith('/image')))(
    'to %s differs by what is accepted, and says so',
    async (_, ask) => {
      expect((await ask((await rooted()).url)).headers.get('vary')).toBe('Accept');
    },
  );

  it.each(FAILURES)('about %s is kept by no cache, and runs nowhere', async (_, status, ask) => {
    const at = await rooted();
    const response = await ask(at.url);
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('etag')).toBeNull();
    expect(await response.json()).toMatchObject({ status, code: expect.stringMatching(/^E_/) });
    await unharmed(at);
  });

  it('about a picture that fails after its tag was known is kept by no cache', async () => {
    const at = await server({ roots: [dirname(fixture('hostile/jpeg-cut-half.jpg'))] });
    const response = await fetch(`${at.url}/v1/image?src=jpeg-cut-half.jpg&thumb=10`);
    expect(response.status).toBe(422);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('etag')).toBeNull();
    await unharmed(at);
  });

  it.each([
    ['a method that is none', 'B@D / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['two lengths', 'POST /v1/process HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST /v1/process HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    ],
    ['a header of 100 KB', `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['a line end in a header', 'GET /livez HTTP/1.1\r\nHost: x\r\nX: a\nb\r\n\r\n'],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
  ])('to %s is a refusal that ends the connection', async (_, bytes) => {
    const at = await rooted();
    expect(await spoken(at.port, bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
    await unharmed(at);
  });
});

/** All that a server answers to these bytes until it closes the connection. */
function spoken(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}
