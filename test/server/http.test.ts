import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import { execa } from 'execa';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fixture, photos, tempDir } from '../support/fixtures.js';
import { ready, stopped } from './decoders.js';
import { bytesOf, direct, noise, server } from './workshop.js';

const [photo = ''] = photos();
const THUMB = { steps: [{ op: 'thumbnail', size: 100 }] };
const SOON = { timeout: 30_000 };

/** The bytes of an answer that must be a success. */
async function body(response: Response): Promise<Buffer> {
  expect(response.status, await response.clone().text().catch(String)).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

function post(url: string, bytes: Uint8Array, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: new Uint8Array(bytes), ...init });
}

async function problem(response: Response) {
  expect(response.headers.get('content-type')).toMatch('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const said = (await response.json()) as Record<string, unknown>;
  expect(said).toMatchObject({ status: response.status, request_id: response.headers.get('x-request-id') });
  return said;
}

describe('POST /v1/process', () => {
  it('answers the picture with its type, sides and tag, by the recipe in a flat query', async () => {
    const { url } = await server();
    const bytes = await bytesOf(photo);
    // the type that a client declares is never believed
    const response = await post(`${url}/v1/process?thumb=100`, bytes, {
      headers: { 'content-type': 'image/png' },
    });
    const made = await body(response.clone() as Response);
    expect(made.equals(await direct(bytes, THUMB))).toBe(true);
    const { width, height } = await sharp(made).metadata();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/jpeg',
      'x-imgtool-width': `${width}`,
      'x-imgtool-height': `${height}`,
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^"[\w-]{27}"$/),
    });
  });

  it.each([
    ['width=300&height=200&fit=cover', [{ op: 'resize', width: 300, height: 200, fit: 'cover' }]],
    [
      'grayscale&rotate=90&thumb=64',
      [{ op: 'thumbnail', size: 64 }, { op: 'rotate', angle: 90 }, { op: 'grayscale' }],
    ],
    ['scale=0.5', [{ op: 'scale', factor: 0.5 }]],
    ['scale=40x30&fit=contain', [{ op: 'scale', size: '40x30', fit: 'contain' }]],
    [
      'thumb=80&mean=5&mean.rounding=floor',
      [
        { op: 'thumbnail', size: 80 },
        { op: 'mean', size: 5, rounding: 'floor' },
      ],
    ],
    ['rotate=angle=90,flip', [{ op: 'rotate', angle: 90, flip: true }]],
    ['thumb=80&grayscale=false', [{ op: 'thumbnail', size: 80 }]],
    [
      'op=rotate:angle=90&op=resize:width=80',
      [
        { op: 'rotate', angle: 90 },
        { op: 'resize', width: 80 },
      ],
    ],
  ])('takes ?%s', async (query, steps) => {
    const { url } = await server();
    const bytes = await bytesOf(photo);
    const made = await body(await post(`${url}/v1/process?${query}`, bytes));
    expect(made.equals(await direct(bytes, { steps }))).toBe(true);
  });

  it('takes a multipart form with the picture and a recipe, as curl sends it', async () => {
    const { url } = await server();
    const recipe = JSON.stringify({ ...THUMB, outputs: [{ format: 'webp' }] });
    const args = ['-sS', '-F', `image=@${photo}`, '-F', `recipe=${recipe}`, `${url}/v1/process`];
    const { stdout } = await execa('curl', args, { encoding: 'buffer' });
    expect(Buffer.compare(stdout, await direct(await bytesOf(photo), JSON.parse(recipe)))).toBe(0);
  });

  it('answers several outputs as multipart/mixed, or as a zip archive', async () => {
    const { url } = await server();
    const form = new FormData();
    form.set('image', new Blob([await readFile(photo)]));
    form.set('recipe', JSON.stringify({ ...THUMB, outputs: [{ format: 'webp' }, { format: 'png' }] }));
    const mixed = await fetch(`${url}/v1/process`, { method: 'POST', body: form });
    expect(mixed.headers.get('content-type')).toMatch(/^multipart\/mixed; boundary=/);
    const parts = await new Response(await body(mixed)).text();
    expect(parts.match(/Content-Type: image\/\w+/g)).toEqual([
      'Content-Type: image/webp',
      'Content-Type: image/png',
    ]);
    const headers = { accept: 'application/zip' };
    const archive = await body(await fetch(`${url}/v1/process`, { method: 'POST', body: form, headers }));
    const folder = await tempDir();
    const script =
      'import sys,zipfile,io; z=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); assert z.testzip() is None; z.extractall(sys.argv[1])';
    await execa('python3', ['-c', script, folder], { input: archive });
    expect((await sharp(`${folder}/image-1.png`).metadata()).format).toBe('png');
  });

  it.each([
    ['thumbb=100', 400, 'E_USAGE', /did you mean thumb\?/],
    ['thumb=100&thumb=200', 400, 'E_USAGE', /once/],
    ['thumb=100&scale=0.5', 400, 'E_USAGE', /one way to size/],
    ['thumb=100&op=grayscale', 400, 'E_USAGE', /op=/],
    ['op=nothing', 422, 'E_RECIPE', /an operation/],
    ['width=many', 422, 'E_RECIPE', /number/],
    ['width=99999999', 422, 'E_RECIPE', /65535/],
    ['scale=1000', 422, 'E_LIMIT_OUTPUT', /megapixels/],
    ['width=9000&enlarge', 422, 'E_LIMIT_OUTPUT', /8192/],
    [`background=${'('.repeat(5000)}`, 422, 'E_RECIPE', /a colour/],
  ])('refuses ?%s', async (query, status, code, detail) => {
    const { url } = await server();
    const response = await post(`${url}/v1/process?${query}`, await bytesOf(photo));
    expect(await problem(response)).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
  });

  it.each([
    ['text', () => Buffer.from('not a picture at all'), 415, 'E_UNSUPPORTED'],
    ['nothing', () => Buffer.alloc(0), 422, 'E_EMPTY'],
    ['compressed bytes', async () => gzipSync(await bytesOf(photo)), 415, 'E_UNSUPPORTED'],
    ['half a picture', async () => (await bytesOf(photo)).subarray(0, 50_000), 422, 'E_DECODE'],
    ['SVG called PNG', () => bytesOf(fixture('hostile/svg-script.svg')), 415, 'E_UNSUPPORTED'],
    ['a bomb', () => bytesOf(fixture('hostile/png-900-megapixels.png')), 422, 'E_LIMIT_PIXELS'],
  ])('refuses %s', async (_, bytes, status, code) => {
    const { url } = await server();
    const headers = { 'content-type': 'image/png', 'content-encoding': 'gzip' };
    const response = await post(`${url}/v1/process?thumb=100`, await bytes(), { headers });
    expect(await problem(response)).toMatchObject({ status, code });
  });

  it('refuses too many bytes, declared or counted, and the connection still hears why', async () => {
    const { url } = await server({ limits: { bytes: 100_000 } });
    const bytes = Buffer.alloc(5_000_000);
    expect(await problem(await post(`${url}/v1/process`, bytes))).toMatchObject({
      status: 413,
      code: 'E_LIMIT_BYTES',
    });
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
    };
    const init = { method: 'POST', body: chunks(), duplex: 'half' } as unknown as RequestInit;
    expect(await problem(await fetch(`${url}/v1/process`, init))).toMatchObject({ status: 413 });
  });

  it('goes on with a connection whose refused body came whole after all', async () => {
    const { port } = await server({ limits: { bytes: 1000, totalMs: 4000 } });
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let said = '';
    socket.on('data', (data) => {
      said += String(data);
    });
    const head = 'POST /v1/process HTTP/1.1\r\nHost: x\r\nContent-Length:';
    socket.write(`${head} 2000\r\n\r\n`);
    await vi.waitFor(() => expect(said).toMatch('HTTP/1.1 413'), SOON);
    // the next one takes longer than a client that is refused has to read why
    socket.write(`${' '.repeat(2000)}${head} 900\r\n\r\n`);
    await vi.waitFor(() => expect(said).toMatch('HTTP/1.1 504'), SOON);
  });

  it('gives up on a body that does not come', async () => {
    const { url, service } = await server({ limits: { totalMs: 300 } });
    const never = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const init = { method: 'POST', body: never, duplex: 'half' } as unknown as RequestInit;
    const response = await fetch(`${url}/v1/process`, init);
    expect([408, 504]).toContain(response.status);
    expect(service.state().running).toBe(0);
  });

  it('answers at once when the queue is full, and when time is up, and serves on', async () => {
    const running = await server({ limits: { workers: 1, queue: 0, totalMs: 3000 } });
    const { url, service } = running;
    await ready(running);
    const recipe = `format=avif&effort=9`;
    const slow = post(`${url}/v1/process?${recipe}`, await noise(1));
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    const refused = await post(`${url}/v1/process?thumb=100`, await bytesOf(photo));
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await problem(refused)).toMatchObject({ status: 503, code: 'E_QUEUE_FULL' });
    expect(await problem(await slow)).toMatchObject({ status: 504, code: 'E_TIMEOUT' });
    await body(await post(`${url}/v1/process?thumb=100`, await bytesOf(photo)));
  });

  it('frees the place of a client that leaves', async () => {
    const { url, service } = await server({ limits: { workers: 1 } });
    const leave = new AbortController();
    const gone = post(`${url}/v1/process?format=avif&effort=9`, await noise(1), { signal: leave.signal });
    const end = expect(gone).rejects.toThrow();
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    leave.abort();
    await end;
    await vi.waitFor(() => expect(service.state()).toMatchObject({ running: 0, workersBusy: [] }), SOON);
  });

  it('lets in only those with the token', async () => {
    const { url } = await server({ token: 'open sesame'.replace(' ', '-') });
    const bytes = await bytesOf(photo);
    const refused = await post(`${url}/v1/process`, bytes);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    const none = await problem(refused);
    expect(none).toMatchObject({
      status: 401,
      code: 'E_AUTH',
      detail: expect.stringMatching(/received none$/),
    });
    const wrong = { headers: { authorization: 'Bearer abx' } };
    expect(await problem(await post(`${url}/v1/process`, bytes, wrong))).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/received another one$/),
    });
    const authorization = 'Bearer open-sesame';
    await body(await post(`${url}/v1/process?thumb=10`, bytes, { headers: { authorization } }));
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
  });
});

describe('GET /v1/image', () => {
  it('answers a file of a root, and 304 to a client that has it, without decoding', async () => {
    const { url, service } = await server({ roots: [new URL('.', `file://${photo}`).pathname] });
    const address = `${url}/v1/image?src=${photo.split('/').pop()}&thumb=100`;
    const response = await fetch(address);
    const etag = response.headers.get('etag') ?? '';
    expect((await body(response)).equals(await direct(await bytesOf(photo), THUMB))).toBe(true);
    const decoded = service.state().pixelsDecoded;
    const again = await fetch(address, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(service.state().pixelsDecoded).toBe(decoded);
  });

  it.each([
    ['image/avif,image/webp,*/*', 'image/avif'],
    ['image/webp;q=0.9,image/avif;q=0.1', 'image/webp'],
    ['image/avif;q=0,*/*', 'image/jpeg'],
  ])('chooses a format for Accept: %s', async (accept, type) => {
    const { url } = await server({ roots: [new URL('.', `file://${photo}`).pathname] });
    const address = `${url}/v1/image?src=${photo.split('/').pop()}&thumb=20&format=auto`;
    const response = await fetch(address, { headers: { accept } });
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('vary')).toBe('Accept');
  });

  it('takes neither paths nor URLs unless they were allowed', async () => {
    const { url } = await server();
    for (const src of [photo, 'http://example.com/a.jpg', 'file:///etc/passwd']) {
      const response = await fetch(`${url}/v1/image?src=${encodeURIComponent(src)}`);
      expect(await problem(response)).toMatchObject({ status: 403, code: 'E_PERMISSION' });
    }
  });
});

describe('the other routes', () => {
  it('tell the size of a picture', async () => {
    const { url } = await server();
    const response = await post(`${url}/v1/size`, await bytesOf(photo));
    const { width, height } = await sharp(photo).metadata();
    expect(await response.json()).toMatchObject({ format: 'jpeg', width, height });
  });

  it('describe themselves in OpenAPI that a validator accepts', async () => {
    const { url } = await server();
    const description = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
    expect(await new Validator().validate(description)).toEqual({ valid: true });
    expect(Object.keys(description.paths)).toContain('/v1/process');
  });

  it('show documentation that loads nothing from elsewhere', async () => {
    const { url } = await server();
    const response = await fetch(`${url}/docs`);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect((await response.text()).replaceAll(/<pre>[\s\S]*?<\/pre>/g, '')).not.toMatch(
      /(src|href)="?(https?:)?\/\//,
    );
  });

  it('count requests by route and code', async () => {
    const { url } = await server();
    await post(`${url}/v1/process?thumb=100`, await bytesOf(photo));
    await post(`${url}/v1/process?nonsense`, await bytesOf(photo));
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch('imgtool_requests_total{door="http",route="/v1/process",code="OK"} 1');
    expect(text).toMatch('imgtool_requests_total{door="http",route="/v1/process",code="E_USAGE"} 1');
    expect(text).toMatch('nodejs_eventloop_lag');
  });

  it('say what they do not know', async () => {
    const { url } = await server();
    expect(await problem(await fetch(`${url}/v2/process`))).toMatchObject({
      status: 404,
      code: 'E_NOT_FOUND',
    });
  });
});

describe('a server', () => {
  it('tells protocols apart by bytes that come one by one', async () => {
    const { port } = await server();
    const socket = connect(port, '127.0.0.1').setNoDelay();
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    for (const letter of 'PROPFIND / HTTP/1.1\r\nHost: here\r\n\r\n') {
      await new Promise<void>((sent) => socket.write(letter, () => sent()));
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 404/);
    socket.destroy();
  });

  it('serves many uploads at once, and refuses only what it has no room for', async () => {
    const { url } = await server({ limits: { queue: 1000, totalMs: 60_000 } });
    const bytes = await bytesOf(fixture('jpeg/baseline.jpg'));
    const answers = Array.from({ length: 500 }, (_, size) =>
      post(`${url}/v1/process?thumb=${(size % 90) + 10}`, bytes),
    );
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('finishes what runs when it drains, tells probes, and then is gone', async () => {
    const running = await server({ limits: { workers: 1 } });
    const { url, service } = running;
    const goOn = stopped(await ready(running));
    const slow = post(`${url}/v1/process?thumb=100`, await bytesOf(photo));
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    const drained = running.drain();
    goOn();
    await body(await slow);
    await drained;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  it('answers a decoder that dies with a clean error', async () => {
    const { url, service, logs } = await server({ limits: { workers: 1 } });
    const doomed = post(`${url}/v1/process?format=avif&effort=9`, await noise(1));
    await vi.waitFor(() => expect(service.state().workersBusy).toHaveLength(1), SOON);
    process.kill(service.state().workersBusy[0] ?? 0, 'SIGKILL');
    expect(await problem(await doomed)).toMatchObject({ status: 500, code: 'E_WORKER' });
    await body(await post(`${url}/v1/process?thumb=100`, await bytesOf(photo)));
    expect(await readFile(`${logs}/worker.log`, 'utf8')).toMatch('SIGKILL');
  });
});
