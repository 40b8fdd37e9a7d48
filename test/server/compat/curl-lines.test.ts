import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { userEnvironment } from '../../support/cli.js';
import { tempDir } from '../../support/fixtures.js';
import { serveFrom } from '../serving.js';

/** Whether something else listens on a port of this machine that the pages name. */
async function isTaken(port: number): Promise<boolean> {
  const http = createServer().listen(port, '127.0.0.1');
  const free = await Promise.race([
    once(http, 'listening').then(() => true),
    once(http, 'error').then(() => false),
  ]).catch(() => false);
  await new Promise((resolve) => http.close(resolve));
  return !free;
}

const taken =
  process.env.CI === undefined && (await Promise.all([5000, 8000, 8001].map(isTaken))).includes(true);

/** A shell line of a page, and the answer that the page shows for it. */
interface Shown {
  readonly line: string;
  readonly answer: string | undefined;
}

async function shownBy(page: string): Promise<readonly Shown[]> {
  const text = await readFile(
    fileURLToPath(new URL(`../../../docs/compat/${page}.md`, import.meta.url)),
    'utf8',
  );
  return [...text.matchAll(/```sh\n(.*)\n```(?:\n\n```json\n(.*)\n```)?/g)].map(([, line = '', answer]) => ({
    line,
    answer,
  }));
}

/** A folder as the pages have it: a picture of 1996x830 as `photo.jpg`, and a folder of two. */
async function workshop(): Promise<string> {
  const folder = await tempDir();
  await mkdir(join(folder, 'images'));
  const photo = join(folder, 'photo.jpg');
  await sharp({ create: { width: 1996, height: 830, channels: 3, background: '#27a' } }).toFile(photo);
  for (const name of ['sample.jpg', 'other.jpg']) await copyFile(photo, join(folder, 'images', name));
  return folder;
}

/** What `python3 -m http.server 8001` is on a page. */
async function pictures(folder: string): Promise<void> {
  const bytes = await readFile(join(folder, 'photo.jpg'));
  const http = createServer((_request, response) => response.end(bytes)).listen(8001, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const PAGES = ['imageapi', 'thumbnails', 'upload-poll'];

describe('the curl lines of the pages, word for word, on the ports of the services', () => {
  it.skipIf(taken)('imageapi, on port 5000', () => runs('imageapi', ['imageapi']));

  it.skipIf(taken)('thumbnails, on port 5000', () => runs('thumbnails', ['thumbnails']));

  it.skipIf(taken)('upload-poll, on port 8000', () => runs('upload-poll', ['upload-poll']));

  it.skipIf(taken)('all of them on one server, on ports 5000 and 8000', async () => {
    const folder = await runs('README', PAGES);
    const thumbnail = await sharp(join(folder, 'thumbnail.jpg')).metadata();
    expect([thumbnail.format, thumbnail.width, thumbnail.height]).toEqual(['jpeg', 100, 42]);
    const { width, height } = await sharp(join(folder, 'bucket/thumbnail_img/photo_1.jpg')).metadata();
    expect([width, height]).toEqual([100, 42]);
  });
});

/** Starts the server as a page does, and runs the curl lines of pages. */
async function runs(start: string, pages: readonly string[]): Promise<string> {
  const folder = await workshop();
  const [first] = await shownBy(start);
  expect(first?.line).toMatch(/^imgtool serve --port (5000|8000) /);
  if (pages.includes('thumbnails')) await pictures(folder);
  const { child } = await serveFrom({ cwd: folder }, ...(first?.line ?? '').split(' ').slice(2));
  for (const page of pages) await asShown(page, folder);
  child.kill('SIGTERM');
  expect((await child).exitCode).toBe(0);
  return folder;
}

/** Runs the curl lines of a page, each until its answer is the one shown; ids are those of this run. */
async function asShown(page: string, cwd: string): Promise<void> {
  const [, ...lines] = await shownBy(page);
  expect(lines.length).toBeGreaterThan(4);
  let id = '';
  for (const { line, answer } of lines) {
    expect(line).toMatch(/^curl /);
    const env = { ...userEnvironment(), JOB: id, ID: id, TASK: id };
    const said = await vi.waitFor(
      async () => {
        const { stdout } = await execa('sh', ['-c', line], { cwd, env });
        if (answer !== undefined) expect(stdout.replaceAll(UUID, 'ID')).toBe(answer.replaceAll(UUID, 'ID'));
        return stdout;
      },
      { timeout: 30_000, interval: 100 },
    );
    id = said.match(UUID)?.[0] ?? id;
  }
}
