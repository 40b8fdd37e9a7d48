import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import type { JobJson } from '../../src/server/http/job-json.js';
import { serve } from '../server/serving.js';
import { noise } from '../server/workshop.js';
import { CLI, imgtool, userEnvironment } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const [photo = ''] = photos();
const SOON = { timeout: 30_000 };
const UNKNOWN = '0198c0de-5c1f-7a60-8f3e-2b7c41d09a55';

async function submit(url: string, query: string, body: Uint8Array): Promise<string> {
  const headers = { prefer: 'respond-async' };
  const response = await fetch(`${url}/v1/process?${query}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as JobJson).id;
}

/** A job that runs, and would for minutes. */
async function endless(url: string): Promise<string> {
  const id = await submit(url, 'format=avif&effort=9&name=endless.jpg', await noise(1));
  await vi.waitFor(async () => {
    const { stdout } = await jobs(url, 'show', id, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: 'running' });
  }, SOON);
  return id;
}

async function jobs(url: string, ...args: readonly string[]) {
  const { stdout, stderr, exitCode } = await imgtool(['jobs', ...args, '--server', url]);
  return { stdout: String(stdout), stderr: String(stderr), exitCode };
}

describe('imgtool jobs', () => {
  it('waits for jobs, lists them, and shows each with its results', async () => {
    const { url } = await serve();
    const picture = await readFile(photo);
    const first = await submit(url, 'thumb=100&name=first.jpg', picture);
    const second = await submit(url, 'thumb=50&name=second.jpg&priority=urgent', picture);
    const waited = await jobs(url, 'wait', first, second);
    expect(waited).toMatchObject({ exitCode: 0, stdout: '' });
    const ends = waited.stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('waiting'));
    expect(ends.sort()).toEqual([`${first} succeeded (first.jpg)`, `${second} succeeded (second.jpg)`]);
    const listed = await jobs(url, 'list');
    const rows = listed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['id', 'state', 'done', 'priority', 'age', 'name'],
      [second, 'succeeded', '100%', 'urgent', expect.stringMatching(/^\d+[sm]$/), 'second.jpg'],
      [first, 'succeeded', '100%', 'normal', expect.stringMatching(/^\d+[sm]$/), 'first.jpg'],
    ]);
    const shown = await jobs(url, 'show', first);
    expect(shown.stdout).toMatch(/^state +succeeded$/m);
    expect(shown.stdout).toMatch(/^output +first\.jpg {2}100x\d+ {2}image\/jpeg {2}\d+ bytes {2}\/v1\/jobs/m);
    const limited = await jobs(url, 'list', '--limit', '1');
    expect(limited.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(limited.stderr).toMatch('there are more');
    const document = await jobs(url, 'list', '--state', 'succeeded', '--json');
    expect(JSON.parse(document.stdout)).toMatchObject({ jobs: [{ id: second }, { id: first }], more: false });
    expect(JSON.parse((await jobs(url, 'list', '--state', 'failed', '--json')).stdout).jobs).toEqual([]);
  });

  it('waits with exit code 1 when one fails, and says why', async () => {
    const { url } = await serve();
    const picture = await readFile(photo);
    const good = await submit(url, 'thumb=100', picture);
    const bad = await submit(url, 'thumb=100&name=cut.jpg', picture.subarray(0, 3000));
    const waited = await jobs(url, 'wait', good, bad);
    expect(waited.exitCode).toBe(1);
    expect(waited.stderr).toMatch(`${bad} failed (cut.jpg): E_DECODE: `);
    const shown = await jobs(url, 'show', bad);
    expect(shown.stdout).toMatch(/^error +E_DECODE: /m);
    const document = await jobs(url, 'wait', bad, good, UNKNOWN, '--json');
    expect(document.exitCode).toBe(1);
    expect(JSON.parse(document.stdout).jobs).toMatchObject([
      { id: bad, state: 'failed', error: { code: 'E_DECODE' } },
      { id: good, state: 'succeeded' },
      { id: UNKNOWN, error: { code: 'E_NOT_FOUND' } },
    ]);
  });

  it('cancels jobs, tries them again, and says of each what cannot be', async () => {
    const { url } = await serve('--workers', '1');
    const running = await endless(url);
    const waiting = await submit(url, 'thumb=100', await readFile(photo));
    const cancelled = await jobs(url, 'cancel', waiting, running, UNKNOWN);
    expect(cancelled.exitCode).toBe(1);
    expect(cancelled.stderr).toMatch(`${waiting} cancelled`);
    expect(cancelled.stderr).toMatch(`${running} runs, and is told to stop`);
    expect(cancelled.stderr).toMatch(`${UNKNOWN}: E_NOT_FOUND: `);
    const ended = await jobs(url, 'wait', running);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(`${running} cancelled (endless.jpg)\n`);
    const again = await jobs(url, 'retry', waiting);
    expect(again).toMatchObject({ exitCode: 0, stderr: `${waiting} queued\n` });
    expect(await jobs(url, 'wait', waiting)).toMatchObject({ exitCode: 0 });
    const finished = await jobs(url, 'cancel', waiting);
    expect(finished.exitCode).toBe(1);
    expect(finished.stderr).toMatch('E_JOB_FINISHED');
  });

  it('waits no longer than it is told', async () => {
    const { url } = await serve('--workers', '1');
    const id = await endless(url);
    const waited = await jobs(url, 'wait', id, '--timeout', '1s');
    expect(waited.exitCode).toBe(1);
    expect(waited.stderr).toMatch(`${id}: E_TIMEOUT: --timeout: expected its end within 1 s`);
  });

  it('goes on waiting while the server is started anew', async () => {
    const data = join(await tempDir(), 'data');
    const start = (...args: string[]) => serve('--workers', '1', '--data-dir', data, ...args);
    const first = await start();
    const { url } = first;
    const id = await endless(url);
    const waiting = execa(process.execPath, [CLI, 'jobs', 'wait', id, '--server', url], {
      env: userEnvironment(),
      reject: false,
    });
    let said = '';
    waiting.stderr.on('data', (text) => {
      said += String(text);
    });
    await vi.waitFor(() => expect(said).toBe(`waiting for jobs at ${url}\n`), SOON);
    first.child.kill('SIGKILL');
    await first.child;
    await start('--port', new URL(url).port);
    expect((await jobs(url, 'cancel', id)).exitCode).toBe(0);
    expect((await waiting).exitCode).toBe(1);
    expect(said).toMatch(`\n${id} cancelled (endless.jpg)\n`);
  });

  it('needs the token, from the flag or the environment', async () => {
    const { url } = await serve('--token', 'sesame');
    expect((await jobs(url, 'list')).stderr).toMatch(/E_AUTH: --token: /);
    expect((await jobs(url, 'list', '--token', 'sesame')).exitCode).toBe(0);
    const env = { ...userEnvironment(), IMGTOOL_SERVER: url.replace('http://', ''), IMGTOOL_TOKEN: 'sesame' };
    expect((await imgtool(['jobs', 'list'], { env })).exitCode).toBe(0);
  });

  it('says which server does not answer, and how to start one', async () => {
    const { exitCode, stderr } = await jobs('127.0.0.1:1', 'list');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /E_UPSTREAM: expected an answer from http:\/\/127\.0\.0\.1:1, received .*ECONNREFUSED.*; imgtool serve --port 1 starts a server, --server names another/,
    );
    const document = await jobs('127.0.0.1:1', 'wait', UNKNOWN, '--json');
    expect(JSON.parse(document.stdout)).toMatchObject({ error: { code: 'E_UPSTREAM' } });
    const { url } = await serve('--no-jobs');
    expect((await jobs(url, 'list')).stderr).toMatch(/E_NOT_FOUND: .*--no-jobs/);
  });

  it.each(['a:1,b:2', 'ftp://x', ''])('does not take %s for the address of a server', async (address) => {
    const { exitCode, stderr } = await jobs(address, 'list');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch('E_USAGE: --server: expected the address of one server');
  });

  it('tells its commands, and is completed', async () => {
    expect((await imgtool(['jobs', '--help'])).stdout).toMatch(/\n( {2}imgtool jobs \w+ {2,}.{10,50}\n){5}$/);
    expect((await imgtool(['completion', 'bash'])).stdout).toMatch('jobs');
  });
});

describe('--async', () => {
  async function folder(): Promise<string> {
    const path = await tempDir();
    for (const name of ['one.jpg', 'two.jpg', 'three.jpg']) await cp(photo, join(path, name));
    return path;
  }

  it('leaves each picture at the server as a job, and prints their ids', async () => {
    const { url } = await serve();
    const address = url.replace('http://', '');
    const inputs = await folder();
    const sent = await imgtool(['thumbnail', '.', '--size', '100', '--server', address, '--async'], {
      cwd: inputs,
    });
    expect(sent).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^3 accepted; imgtool jobs wait/m),
    });
    const lines = String(sent.stdout).trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[1]).sort()).toEqual(['one.jpg', 'three.jpg', 'two.jpg']);
    const ids = lines.map((line) => line.split('  ')[0] ?? '');
    expect((await jobs(url, 'wait', ...ids)).exitCode).toBe(0);
    expect(await readdir(inputs)).toHaveLength(3);
    await imgtool(['thumbnail', 'one.jpg', '--size', '100', '--out', 'here'], { cwd: inputs });
    const [made = ''] = (await readdir(join(inputs, 'here'))).filter((name) => name.startsWith('one'));
    const wanted = await readFile(join(inputs, 'here', made));
    const result = await fetch(`${url}/v1/jobs/${ids[0]}/result`);
    expect(Buffer.from(await result.arrayBuffer()).equals(wanted)).toBe(true);
    const { stdout } = await jobs(url, 'list', '--json');
    for (const job of JSON.parse(stdout).jobs) expect(job).toMatchObject({ priority: 'batch' });
  });

  it('tells the same as JSON and as NDJSON, and which pictures were refused', async () => {
    const { url } = await serve();
    const inputs = await folder();
    await writeFile(join(inputs, 'no.jpg'), 'PK\u0003\u0004 no picture');
    const args = ['thumbnail', inputs, '--size', '100', '--server', url, '--async'];
    const document = await imgtool([...args, '--json']);
    expect(document.exitCode).toBe(1);
    const { jobs: told, summary } = JSON.parse(String(document.stdout));
    expect(summary).toEqual({ total: 4, accepted: 3, failed: 1 });
    expect(told).toHaveLength(4);
    const lines = String((await imgtool([...args, '--ndjson'])).stdout)
      .trimEnd()
      .split('\n');
    const rows = lines.map(
      (line) => JSON.parse(line) as { source: string; id?: string; error?: { code: string } },
    );
    expect(rows.filter(({ id }) => id !== undefined)).toHaveLength(3);
    expect(rows.find(({ source }) => source?.endsWith('no.jpg'))?.error?.code).toBe('E_UNSUPPORTED');
    expect(rows.at(-1)).toEqual({ type: 'summary', total: 4, accepted: 3, failed: 1 });
  });

  it('needs a server with a queue, and nothing to do with files here', async () => {
    const inputs = await folder();
    const run = (...args: string[]) => imgtool(['thumbnail', inputs, '--size', '100', '--async', ...args]);
    for (const [args, message] of [
      [[], /E_USAGE.*--server beside --async/],
      [['--server', 'x:1', '--dry-run'], /E_USAGE.*--async without --dry-run/],
      [['--server', 'x:1', '--server-protocol', 'nlimage'], /E_USAGE.*which has no jobs/],
    ] as const) {
      const { exitCode, stderr } = await run(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
    }
    const { url } = await serve('--no-jobs');
    const refused = await run('--server', url);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(
      /expected a server with a job queue, received one started with --no-jobs$/m,
    );
  });
});
