import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, emptied, server } from '../workshop.js';

const [photo = ''] = photos();

/** A web server of pictures on loopback; counts what it is asked. */
async function origin(handler: RequestListener) {
  const seen: string[] = [];
  const http = createServer((request, response) => {
    seen.push(request.url ?? '');
    handler(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

async function size(url: string, src: string) {
  const response = await fetch(`${url}/v1/size?src=${encodeURIComponent(src)}`);
  return {
    status: response.status,
    ...((await response.json()) as { code?: string; detail?: string; width?: number }),
  };
}

describe('a picture at a URL', () => {
  it('is fetched where the pattern and the address are allowed', async () => {
    const picture = await bytesOf(photo);
    const { url: from, seen } = await origin((_request, response) => response.end(picture));
    const { url, service } = await server({ urls: [`${from}/`], allowPrivate: true });
    expect(await size(url, `${from}/a.jpg`)).toMatchObject({ status: 200, width: expect.any(Number) });
    expect(seen).toEqual(['/a.jpg']);
    await emptied(service);
  });

  it.each([
    ...['127.0.0.1', '0x7f.1', '2130706433', '0177.0.0.1', '127.1', '0', '[::]', '[::1]', '[::ffff:7f00:1]'],
    ...['１２７.０.０.１', '169.254.169.254', '[64:ff9b::7f00:1]', 'localhost'],
  ])('is refused at the private address %s, which is never asked', async (host) => {
    const { port, seen } = await origin((_request, response) => response.end());
    const { url } = await server({ urls: ['*:*'] });
    const answer = await size(url, `http://${host}:${port}/`);
    expect(answer).toMatchObject({ status: 403, code: 'E_PERMISSION' });
    expect(seen).toEqual([]);
  });

  it('is not asked for at localhost with a dot behind, whether that resolves or not', async () => {
    const { port, seen } = await origin((_request, response) => response.end());
    const { url } = await server({ urls: ['*:*'] });
    // a machine without a name server may look for one until the time is up
    const { code } = await size(url, `http://localhost.:${port}/`);
    expect(['E_PERMISSION', 'E_READ', 'E_TIMEOUT']).toContain(code);
    expect(seen).toEqual([]);
  });

  it.each<[string, readonly string[], string]>([
    ['private', ['10.0.0.1'], 'E_PERMISSION'],
    ['mixed', ['93.184.216.34', '127.0.0.1'], 'E_PERMISSION'],
    ['wrapped', ['::ffff:127.0.0.1'], 'E_PERMISSION'],
    ['empty', [], 'E_READ'],
  ])('is refused when its name has %s answers', async (_, answers, code) => {
    const resolve = async () =>
      answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const { url } = await server({ urls: ['*:*'], resolve });
    expect(await size(url, 'http://pictures.example/a.jpg')).toMatchObject({ code });
  });

  it('is not asked for at a private address by a name that changes its answer', async () => {
    const { port, seen } = await origin((_request, response) => response.end());
    const answers = ['192.88.98.1', '127.0.0.1'];
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return [{ address: answers[asked.length - 1] ?? '127.0.0.1', family: 4 }];
    };
    const { url } = await server({ urls: ['*:*'], resolve, limits: { connectMs: 300, fetchMs: 1000 } });
    const { code } = await size(url, `http://rebinding.example:${port}/a.jpg`);
    expect(['E_TIMEOUT', 'E_READ', 'E_PERMISSION']).toContain(code);
    expect(asked).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  it.each([
    ['http://user:secret@127.0.0.1/', 'E_PERMISSION'],
    ['http://allowed.example\\@127.0.0.1/', 'E_PERMISSION'],
    ['https://not-allowed.example/', 'E_PERMISSION'],
    ['ftp://127.0.0.1/', 'E_USAGE'],
    ['file:///etc/passwd', 'E_USAGE'],
    ['http://', 'E_USAGE'],
  ])('is refused as %s', async (src, code) => {
    const { url } = await server({ urls: ['http://127.0.0.1/'] });
    expect(await size(url, src)).toMatchObject({ code });
  });

  it('is followed through redirects, each judged as the first', async () => {
    const picture = await bytesOf(photo);
    const other = await origin((_request, response) => response.end(picture));
    const { url: from, seen } = await origin((request, response) => {
      const [, kind = '', hops = '0'] = (request.url ?? '').split('/');
      const target: Record<string, string> = {
        hop: Number(hops) > 0 ? `/hop/${Number(hops) - 1}` : '',
        other: `${other.url}/x.jpg`,
        scheme: 'file:///etc/passwd',
        metadata: 'http://169.254.169.254/latest/',
        loop: '/loop',
      };
      if (target[kind]) response.writeHead(302, { location: target[kind] }).end();
      else response.end(picture);
    });
    const { url } = await server({ urls: [`${from}/`], allowPrivate: true });
    expect(await size(url, `${from}/hop/3`)).toMatchObject({ status: 200 });
    expect(await size(url, `${from}/hop/4`)).toMatchObject({ status: 422, code: 'E_LIMIT_REDIRECTS' });
    expect(await size(url, `${from}/loop`)).toMatchObject({ code: 'E_LIMIT_REDIRECTS' });
    for (const [kind, code] of [
      ['other', 'E_PERMISSION'],
      ['scheme', 'E_USAGE'],
      ['metadata', 'E_PERMISSION'],
    ])
      expect(await size(url, `${from}/${kind}`)).toMatchObject({ code });
    expect(other.seen).toEqual([]);
    expect(seen).toContain('/hop/0');
  });

  it.each<[string, RequestListener, string, fetchMs?: number]>([
    [
      'declares too many bytes',
      (_, response) => response.writeHead(200, { 'content-length': 1e9 }).write('x'),
      'E_LIMIT_BYTES',
    ],
    ['sends too many bytes', (_, response) => response.end(Buffer.alloc(200_000)), 'E_LIMIT_BYTES'],
    [
      'sends a bomb',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1e7))),
      'E_READ',
    ],
    ['is slow to begin', () => undefined, 'E_TIMEOUT', 500],
    ['never ends', (_, response) => response.write('x'), 'E_TIMEOUT', 500],
    [
      'breaks off',
      (_, response) => response.writeHead(200, { 'content-length': 50 }).write('x', () => response.destroy()),
      'E_READ',
    ],
    ['has no such picture', (_, response) => response.writeHead(404).end(), 'E_NOT_FOUND'],
    ['fails', (_, response) => response.writeHead(500).end(), 'E_READ'],
    ['has nothing', (_, response) => response.end(), 'E_EMPTY'],
    ['has a page', (_, response) => response.end('<!doctype html><title>no</title>'), 'E_UNSUPPORTED'],
  ])('is refused when its server %s', async (_, handler, code, fetchMs = 10_000) => {
    const { url: from } = await origin(handler);
    const limits = { bytes: 100_000, fetchMs };
    const { url, service } = await server({ urls: [`${from}/`], allowPrivate: true, limits });
    expect(await size(url, `${from}/a.jpg`)).toMatchObject({ code });
    await emptied(service);
  });
});

describe('a picture at a path', () => {
  async function rooted() {
    const folder = await tempDir();
    const root = join(folder, 'data');
    await mkdir(join(root, 'sub'), { recursive: true });
    await mkdir(join(folder, 'data-secret'));
    await copyFile(photo, join(root, 'a.jpg'));
    await copyFile(photo, join(root, 'sub', 'b c.jpg'));
    await copyFile(photo, join(folder, 'data-secret', 's.jpg'));
    await writeFile(join(folder, 'outside.txt'), 'secret');
    await symlink(join(folder, 'data-secret', 's.jpg'), join(root, 'out.jpg'));
    await symlink(join(root, 'a.jpg'), join(root, 'in.jpg'));
    await symlink('/dev/zero', join(root, 'zero.jpg'));
    execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
    return { folder, root, ...(await server({ roots: [root, `/named=${root}`] })) };
  }

  it('is found inside a root, by its own path or by the name of the root', async () => {
    const { url, root } = await rooted();
    for (const src of [
      'a.jpg',
      'sub/b c.jpg',
      './sub/../a.jpg',
      'in.jpg',
      join(root, 'a.jpg'),
      '/named/a.jpg',
    ])
      expect(await size(url, src), src).toMatchObject({ status: 200 });
  });

  it.each([
    ['../outside.txt', 403],
    ['sub/../../outside.txt', 403],
    ['../data-secret/s.jpg', 403],
    ['../nothing-there', 403],
    ['/etc/passwd', 403],
    ['/named/../outside.txt', 403],
    ['/namedother/a.jpg', 403],
    ['out.jpg', 403],
    ['zero.jpg', 403],
    ['/dev/stdin', 403],
    ['%2e%2e%2foutside.txt', 404],
    ['..%5coutside.txt', 404],
    ['nothing.jpg', 404],
    ['a.jpg/x', 404],
    ['a.jpg\0.png', 400],
    ['sub', 422],
    ['pipe.jpg', 422],
  ])('is refused as %s', async (src, status) => {
    const { url, folder } = await rooted();
    const answer = await size(url, src);
    expect(answer.status).toBe(status);
    expect(answer.detail).not.toContain(folder);
  });

  it('is refused for its size before it is read', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'large.jpg'), Buffer.alloc(2000));
    const { url } = await server({ roots: [folder], limits: { bytes: 1000 } });
    expect(await size(url, 'large.jpg')).toMatchObject({ status: 413, code: 'E_LIMIT_BYTES' });
  });
});
