import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { photos } from '../../support/fixtures.js';
import { bytesOf, emptied, server } from '../workshop.js';

const [photo = ''] = photos();

afterEach(() => void vi.unstubAllEnvs());

/** A web server of one picture, and what it was asked; `moved` sends whoever asks elsewhere. */
async function origin(moved?: string) {
  const picture = await bytesOf(photo);
  const asked: IncomingMessage[] = [];
  const http = createServer((request, response) => {
    asked.push(request);
    if (moved === undefined) response.end(picture);
    else response.writeHead(302, { location: moved }).end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

it('tells a source nothing of the caller: no token, no cookie, no address, on no hop', async () => {
  const last = await origin();
  const first = await origin(`${last.url}/b.jpg`);
  const urls = [`${first.url}/`, `${last.url}/`];
  const { url, service } = await server({ urls, allowPrivate: true, token: 'sesame' });
  const headers = {
    authorization: 'Bearer sesame',
    cookie: 'session=sesame',
    'x-forwarded-for': '203.0.113.9',
    referer: 'http://intranet.example/sesame',
  };
  const response = await fetch(`${url}/v1/size?src=${first.url}/a.jpg`, { headers });
  expect(response.status).toBe(200);
  expect([first.asked.length, last.asked.length]).toEqual([1, 1]);
  for (const { rawHeaders } of [...first.asked, ...last.asked])
    expect(rawHeaders.join('\n')).not.toMatch(/sesame|203\.0\.113\.9|cookie|authorization|referer/i);
  await emptied(service);
});

it('asks a source itself, whatever proxy the environment names', async () => {
  const proxy = await origin();
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'])
    vi.stubEnv(name, proxy.url);
  vi.stubEnv('NO_PROXY', '');
  const from = await origin();
  const { url } = await server({ urls: [`${from.url}/`], allowPrivate: true });
  expect((await fetch(`${url}/v1/size?src=${from.url}/a.jpg`)).status).toBe(200);
  expect([from.asked.length, proxy.asked.length]).toEqual([1, 0]);
});
