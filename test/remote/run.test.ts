import { once } from 'node:events';
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { imgtool, userEnvironment } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';
import { door, figure, serve } from './servers.js';

const [photo = ''] = photos();
const CALLS = 'imgtool_requests_total{door="grpc"';

describe('a run at a server', () => {
  it('leaves alone what is made already, and makes what is missing', async () => {
    const { address, port } = await serve();
    const cwd = await tempDir();
    const args = ['run', photo, '--sizes', '64,32', '--out', 'out', '--server', address, '--json'];
    expect((await imgtool(args, { cwd })).exitCode).toBe(0);
    const first = await readFile(join(cwd, 'out', (await results(cwd))[0] ?? ''));
    const calls = await figure(port, CALLS);
    const again = await imgtool(args, { cwd });
    expect(JSON.parse(String(again.stdout)).summary).toMatchObject({ done: 0, skipped: 1 });
    expect(await figure(port, CALLS)).toBe(calls);
    await rm(join(cwd, 'out', (await results(cwd))[0] ?? ''));
    await imgtool(args, { cwd });
    expect(await readFile(join(cwd, 'out', (await results(cwd))[0] ?? ''))).toEqual(first);
    // here and there are one: what a server made is known to a run without one
    const local = await imgtool(
      args.filter((arg) => arg !== '--server' && arg !== address),
      { cwd },
    );
    expect(JSON.parse(String(local.stdout)).summary).toMatchObject({ done: 0, skipped: 1 });
  });

  it('takes standard input and URLs, and writes to standard output and in place', async () => {
    const { address } = await serve();
    const cwd = await tempDir();
    const bytes = await readFile(photo);
    const http = createServer((_request, response) => response.end(bytes)).listen(0, '127.0.0.1');
    onTestFinished(() => void http.close());
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/a.jpg`;
    const env = { ...userEnvironment(), IMGTOOL_SERVER: address };
    const options = { cwd, env, encoding: 'buffer' } as const;
    const wanted = await imgtool(['thumbnail', photo, '--out', '-'], { cwd, encoding: 'buffer' });
    const piped = await imgtool(['thumbnail', '-', '--out', '-'], { ...options, input: bytes });
    const fetched = await imgtool(['thumbnail', url, '--out', '-'], options);
    await copyFile(photo, join(cwd, 'b.jpg'));
    const replaced = await imgtool(['thumbnail', 'b.jpg', '--in-place'], options);
    expect([piped.exitCode, fetched.exitCode, replaced.exitCode]).toEqual([0, 0, 0]);
    const made = Buffer.from(wanted.stdout as Uint8Array);
    expect(made.length).toBeGreaterThan(500);
    expect(made.equals(piped.stdout as Uint8Array)).toBe(true);
    expect(made.equals(fetched.stdout as Uint8Array)).toBe(true);
    expect(made.equals(await readFile(join(cwd, 'b.jpg')))).toBe(true);
  });

  it('keeps a watched folder processed', async () => {
    const { address, port } = await serve();
    const cwd = await tempDir();
    await copyFile(photo, join(cwd, 'b.jpg'));
    const { exitCode, stderr } = await imgtool(
      ['watch', '.', '--once', '--out', 'out', '--server', address],
      { cwd },
    );
    expect(exitCode, String(stderr)).toBe(0);
    expect(await results(cwd)).toEqual(['b.jpg']);
    expect(await figure(port, CALLS)).toBe(1);
  });

  it('asks nobody for a dry run, nor for pictures over the limit', async () => {
    const { address, connections } = await door((client) => void client.destroy());
    const cwd = await tempDir();
    const dry = await imgtool(['thumbnail', photo, '--dry-run', '--server', address], { cwd });
    expect(dry.exitCode).toBe(0);
    expect(String(dry.stdout)).toMatch('make');
    const args = ['thumbnail', photo, '--limit-pixels', '100', '--server', address];
    const limited = await imgtool(args, { cwd });
    expect(limited.exitCode).toBe(1);
    expect(String(limited.stderr)).toMatch('E_LIMIT_PIXELS');
    expect(connections()).toBe(0);
  });
});

describe('what cannot be', () => {
  it.each([
    [['--server', 'nowhere'], '--server', 'host:port'],
    [['--server', 'ftp://a:1'], '--server', 'host:port'],
    [['--server', 'a:1,'], '--server', 'nothing'],
    [['--server', 'a:99999'], '--server', 'host:port'],
    [['--server', 'a:1', '--lenient'], '--lenient', 'without --server'],
    [['--server', 'https://a:1', '--ca', '/nowhere.pem'], '--ca', 'a readable file'],
    [['--server', 'https://a:1', '--ca', photo], '--ca', 'PEM'],
  ])('is refused before anything is sent: %j', async (args, field, words) => {
    const { exitCode, stderr } = await imgtool(['thumbnail', photo, ...args], { cwd: await tempDir() });
    expect(exitCode).toBe(2);
    expect(String(stderr)).toMatch(field);
    expect(String(stderr)).toMatch(words);
    expect(String(stderr)).toMatch('E_USAGE');
  });

  it('is told with the code of the server: a wrong token ends the run', async () => {
    const { address } = await serve('--token', 'right');
    const cwd = await tempDir();
    const args = ['thumbnail', fixture('png/rgb.png'), photo, '--server', address];
    const wrong = await imgtool([...args, '--token', 'wrong'], { cwd });
    expect(wrong.exitCode).toBe(1);
    expect(String(wrong.stderr)).toMatch('E_AUTH');
    expect(String(wrong.stderr)).toMatch('--token');
    expect(String(wrong.stderr)).toMatch('received another one');
    expect(String((await imgtool(args, { cwd })).stderr)).toMatch('received none');
    const right = await imgtool(args, { cwd, env: { ...userEnvironment(), IMGTOOL_TOKEN: 'right' } });
    expect(right.exitCode).toBe(0);
  });

  it('is told once for a token that all can read', async () => {
    const args = ['thumbnail', photo, '--dry-run', '--token', 'T', '--server'];
    const cwd = await tempDir();
    expect(String((await imgtool([...args, 'a.example:1,b.example:1'], { cwd })).stderr)).toMatch(
      /^warning: .*a\.example:1.*\n(?!warning)/,
    );
    expect(String((await imgtool([...args, 'https://a.example:1'], { cwd })).stderr)).not.toMatch('warning');
    expect(String((await imgtool([...args, '127.0.0.1:1'], { cwd })).stderr)).not.toMatch('warning');
  });

  it('is told with the limit of the server', async () => {
    const { address } = await serve('--limit-pixels', '100');
    const { exitCode, stdout } = await imgtool(['thumbnail', photo, '--json', '--server', address], {
      cwd: await tempDir(),
    });
    expect(exitCode).toBe(1);
    const [picture] = JSON.parse(String(stdout)).outcomes;
    expect(picture).toMatchObject({ source: photo, error: { code: 'E_LIMIT_PIXELS', file: photo } });
  });
});

async function results(cwd: string): Promise<string[]> {
  return (await readdir(join(cwd, 'out'))).filter((name) => !name.startsWith('.')).sort();
}
