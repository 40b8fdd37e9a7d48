import { once } from 'node:events';
import { readFile, rename } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';
import { stopped } from './decoders.js';
import { serve } from './serving.js';
import { bytesOf, direct, noise } from './workshop.js';

const [photo = ''] = photos();
const SOON = { timeout: 30_000 };

/** Resolves when a request is worked at. */
async function atWork(url: string): Promise<void> {
  await vi.waitFor(
    async () => expect(await (await fetch(`${url}/metrics`)).text()).toMatch('imgtool_queue_running 1'),
    SOON,
  );
}

/** The decoder processes of a server with one worker, once they wait for work: one more is kept warm. */
function idle(url: string): Promise<readonly number[]> {
  return vi.waitFor(async () => {
    const stats = await (await fetch(`${url}/v1/jobs/stats`)).json();
    const { workers } = stats as { workers: { idle: readonly number[] } };
    expect(workers.idle).toHaveLength(2);
    return workers.idle;
  }, SOON);
}

describe('imgtool serve', () => {
  it('says in at most six lines where it is, and answers there', async () => {
    const { url, said, child } = await serve();
    expect(said().trimEnd().split('\n').length).toBeLessThanOrEqual(6);
    expect(said()).toMatch('--allow-url');
    const bytes = await bytesOf(photo);
    const response = await fetch(`${url}/v1/process?thumb=100`, {
      method: 'POST',
      body: new Uint8Array(bytes),
    });
    const made = Buffer.from(await response.arrayBuffer());
    expect(made.equals(await direct(bytes, { steps: [{ op: 'thumbnail' }] }))).toBe(true);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child;
    expect(exitCode).toBe(0);
    const [line = ''] = stdout.split('\n');
    expect(JSON.parse(line)).toMatchObject({ log: 'access', route: '/v1/process', status: 200, code: 'OK' });
  });

  it('finishes what runs after SIGTERM, and then ends with 0', async () => {
    const { url, child, said } = await serve('--workers', '1');
    const body = new Uint8Array(await bytesOf(photo));
    const goOn = stopped(await idle(url));
    const slow = fetch(`${url}/v1/process?thumb=100`, { method: 'POST', body });
    await atWork(url);
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(said()).toMatch('finishing what runs'), SOON);
    goOn();
    expect((await slow).status).toBe(200);
    expect((await child).exitCode).toBe(0);
  });

  it('leaves at once on a second signal', async () => {
    const { url, child, said } = await serve('--workers', '1');
    const slow = fetch(`${url}/v1/process?format=avif&effort=9`, {
      method: 'POST',
      body: new Uint8Array(await noise(1)),
    });
    const end = slow.catch((error: unknown) => error);
    await atWork(url);
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(said()).toMatch('finishing what runs'), SOON);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(143);
    expect(await end).toBeInstanceOf(Error);
  });

  it('says clearly that a port is taken, and that a folder is missing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await imgtool(['serve', '--port', `${port}`]);
    expect(taken.exitCode).toBe(2);
    expect(taken.stderr).toMatch(`another program listens on`);
    const missing = await imgtool(['serve', '--port', '0', '--root', '/nowhere/at/all']);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toMatch('an existing folder');
  });

  it('keeps secrets out of what it prints, and warns when anyone can use it', async () => {
    const open = await serve('--host', '0.0.0.0');
    await vi.waitFor(() => expect(open.said()).toMatch(/warning.*--token.*--tls-cert/), SOON);
    expect(open.said().trimEnd().split('\n').length).toBeLessThanOrEqual(6);
    const secret = await serve('--host', '0.0.0.0', '--token', 'opensesame');
    await vi.waitFor(() => expect(secret.said()).toMatch(/warning: what is sent/), SOON);
    expect(secret.said()).not.toMatch('--token lets in');
    const closed = await serve('--token', 'opensesame', '--verbose');
    expect(closed.said()).not.toMatch('warning');
    await vi.waitFor(() => expect(closed.said()).toMatch('"token": "set"'), SOON);
    expect(closed.said()).not.toMatch('opensesame');
  });

  it('writes logs into files, and opens them anew on SIGHUP', async () => {
    const folder = await tempDir();
    const { url, child } = await serve('--log-dir', folder);
    await fetch(`${url}/livez`);
    await vi.waitFor(
      async () => expect(await readFile(`${folder}/access.log`, 'utf8')).toMatch('/livez'),
      SOON,
    );
    await rename(`${folder}/access.log`, `${folder}/access.1.log`);
    child.kill('SIGHUP');
    await vi.waitFor(async () => {
      await fetch(`${url}/readyz`);
      expect(await readFile(`${folder}/access.log`, 'utf8')).toMatch('/readyz');
    }, SOON);
  });
});
