import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const PHOTO = readFileSync(photos().find((path) => path.endsWith('rocket.jpg')) ?? '');

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an address is fetched and named after its last part', async () => {
  const site = await served((_request, response) => void response.end(PHOTO));
  const cwd = await tempDir();
  const { exitCode } = await imgtool(['resize', `${site}/a/rocket%20one.jpg?x=1`, '--thumb', '100'], { cwd });
  expect(exitCode).toBe(0);
  expect((await sharp(join(cwd, 'imgtool-out/thumb-100/rocket one.jpg')).metadata()).width).toBe(100);
});

test('an unchanged address is fetched again and left alone by its contents', async () => {
  const site = await served((_request, response) => void response.end(PHOTO));
  const cwd = await tempDir();
  await imgtool(['thumbnail', `${site}/x.jpg`], { cwd });
  const { stdout } = await imgtool(['thumbnail', `${site}/x.jpg`, '--json'], { cwd });
  expect(JSON.parse(String(stdout)).summary).toMatchObject({ done: 0, skipped: 1 });
});

test('a redirect is followed, a loop of them ends', async () => {
  const site = await served((request, response) => {
    if (request.url === '/real.jpg') response.end(PHOTO);
    else response.writeHead(302, { location: request.url === '/once.jpg' ? '/real.jpg' : '/loop.jpg' }).end();
  });
  const cwd = await tempDir();
  expect((await imgtool(['thumbnail', `${site}/once.jpg`], { cwd })).exitCode).toBe(0);
  const { exitCode, stderr } = await imgtool(['thumbnail', `${site}/loop.jpg`], { cwd });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('expected fewer redirects');
});

const BAD_ANSWERS: readonly [string, (response: ServerResponse) => unknown, string][] = [
  ['a status that is no 200', (response) => response.writeHead(404).end(), 'E_NOT_FOUND'],
  [
    'a redirect to another scheme',
    (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    'E_READ',
  ],
  [
    'a body that breaks off',
    (response) => {
      response.writeHead(200, { 'content-length': String(PHOTO.length) });
      response.write(PHOTO.subarray(0, 1000), () => response.destroy());
    },
    'E_READ',
  ],
  [
    'a page instead of a picture',
    (response) => response.end('<!doctype html><title>no</title>'),
    'E_UNSUPPORTED',
  ],
];

test.each(BAD_ANSWERS)('%s fails that input and names it', async (_, answer, code) => {
  const site = await served((_request, response) => void answer(response));
  const { exitCode, stderr } = await imgtool(['thumbnail', `${site}/x.jpg`], { cwd: await tempDir() });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(code);
  expect(stderr).toContain(`${site}/x.jpg`);
});

test('an address nobody answers at fails', async () => {
  const { exitCode, stderr } = await imgtool(['thumbnail', 'http://127.0.0.1:1/x.jpg'], {
    cwd: await tempDir(),
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('E_READ');
});
