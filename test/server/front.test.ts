import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixture, photos } from '../support/fixtures.js';
import { bytesOf, direct, front, server } from './workshop.js';

const [photo = ''] = photos();
const SCALED = { steps: [{ op: 'scale' }] };

/** A body as the public client of this API sends it: chunked, and called a JPEG whatever it is. */
function posted(url: string, bytes: Uint8Array, type = 'image/jpeg', method = 'POST'): Promise<Response> {
  const body = (async function* () {
    for (let at = 0; at < bytes.length; at += 4096) yield bytes.subarray(at, at + 4096);
  })();
  return fetch(url, {
    method,
    body,
    duplex: 'half',
    headers: { 'content-type': type },
  } as unknown as RequestInit);
}

async function bytesIn(response: Response): Promise<Buffer> {
  expect(response.status, await response.clone().text()).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function alone() {
  return (await server()).url;
}

/** The same API in front of a processing service, which it speaks to over gRPC. */
async function inFront() {
  const behind = await server();
  return (await front(`127.0.0.1:${behind.port}`)).url;
}

describe.each([
  ['in one process', alone],
  ['in front of a processing service', inFront],
])('/image %s', (_, start) => {
  it('answers a picture at 1024x768, in its own format', async () => {
    const url = await start();
    for (const path of [photo, fixture('png/rgb.png')]) {
      const bytes = await bytesOf(path);
      const response = await posted(`${url}/image`, bytes);
      expect((await bytesIn(response)).equals(await direct(bytes, SCALED))).toBe(true);
    }
  });

  it('takes a chunked POST of a PNG that calls itself a JPEG', async () => {
    const response = await posted(`${await start()}/image`, await bytesOf(fixture('png/rgb.png')));
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(await sharp(await bytesIn(response)).metadata()).toMatchObject({
      format: 'png',
      width: 1024,
      height: 768,
    });
  });

  it('takes any method', async () => {
    const url = await start();
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      await bytesIn(
        await posted(`${url}/image`, await bytesOf(fixture('tiny/1x1.png')), 'image/jpeg', method),
      );
  });

  it('names what it does not understand', async () => {
    const response = await posted(`${await start()}/image`, Buffer.from('no picture'));
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'E_UNSUPPORTED' });
  });
});

describe('/image', () => {
  it('is what the server was started with', async () => {
    const { url } = await server({ front: { scale: '64x64', fit: 'contain', grayscale: true } });
    const bytes = await bytesOf(photo);
    const wanted = { steps: [{ op: 'scale', size: '64x64', fit: 'contain' }, { op: 'grayscale' }] };
    expect((await bytesIn(await posted(`${url}/image`, bytes))).equals(await direct(bytes, wanted))).toBe(
      true,
    );
  });

  it('does not process the same picture twice', async () => {
    const { url, service } = await server();
    const bytes = await bytesOf(photo);
    const first = await bytesIn(await posted(`${url}/image`, bytes));
    const decoded = service.state().pixelsDecoded;
    expect((await bytesIn(await posted(`${url}/image`, bytes))).equals(first)).toBe(true);
    expect(service.state().pixelsDecoded).toBe(decoded);
  });

  it('takes the URL of a picture, as a text or in the query, where it is allowed', async () => {
    const picture = await bytesOf(photo);
    const http = createServer((_request, response) => response.end(picture)).listen(0, '127.0.0.1');
    onTestFinished(() => void http.close());
    await once(http, 'listening');
    const from = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    const { url } = await server({ urls: [from], allowPrivate: true });
    const wanted = await direct(picture, SCALED);
    const byText = await posted(`${url}/image`, Buffer.from(`${from}a.jpg\n`), 'text/plain');
    expect((await bytesIn(byText)).equals(wanted)).toBe(true);
    const byQuery = await fetch(`${url}/image?url=${encodeURIComponent(`${from}a.jpg`)}`);
    expect((await bytesIn(byQuery)).equals(wanted)).toBe(true);
    const refused = await posted(`${url}/image`, Buffer.from('http://10.0.0.1/'), 'text/plain');
    expect(refused.status).toBe(403);
    expect((await posted(`${url}/image`, Buffer.from('/etc/passwd'), 'text/plain')).status).toBe(400);
  });

  it('says so when the processing service does not answer', async () => {
    const { url } = await front('127.0.0.1:1');
    const response = await posted(`${url}/image`, await bytesOf(photo));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'E_UPSTREAM' });
    expect(response.headers.get('retry-after')).toBe('1');
  });
});
