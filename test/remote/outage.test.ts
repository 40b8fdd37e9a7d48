import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { noise } from '../server/workshop.js';
import { CLI, imgtool, userEnvironment } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';
import { door, figure, piped, serve } from './servers.js';

const [photo = ''] = photos();
const RUNNING = 'imgtool_queue_running';
const CALLS = 'imgtool_requests_total{door="grpc"';

/** A folder with so many different pictures, each of which takes an encoder of AVIF a while. */
async function pictures(count: number): Promise<string> {
  const folder = await tempDir();
  for (let at = 0; at < count; at += 1) await writeFile(join(folder, `${at}.jpg`), await noise(at, 300));
  return folder;
}

/** A run that is watched while it goes. */
function started(cwd: string, ...args: string[]) {
  const child = execa(process.execPath, [CLI, ...args], {
    cwd,
    reject: false,
    env: userEnvironment(),
    stripFinalNewline: false,
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  return child;
}

/** Waits for a server to have a picture in its decoder. */
function atWork(port: number, running = 1): Promise<void> {
  return vi.waitFor(async () => expect(await figure(port, RUNNING)).toBe(running), PATIENT);
}

/** Waits for a server to have written so many bytes of an upload. */
function spooled(spool: string, bytes: number): Promise<void> {
  return vi.waitFor(async () => {
    const names = (await readdir(spool, { recursive: true })).filter((name) => name.includes('upload-'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(spool, name))).size));
    expect(Math.max(0, ...sizes)).toBeGreaterThan(bytes);
  }, PATIENT);
}

const PATIENT = { timeout: 50_000, interval: 10 };

async function summaryOf(run: { stdout?: unknown }): Promise<unknown> {
  return JSON.parse(String(run.stdout)).summary;
}

describe('several servers', () => {
  it('share the work, and those that are left take over from one that is killed', async () => {
    const [first, second] = [await serve('--workers', '1'), await serve('--workers', '1')];
    const cwd = await pictures(8);
    const servers = `${first.address},${second.address}`;
    const run = started(cwd, 'run', '.', '--format', 'avif', '--out', 'out', '--json', '--server', servers);
    await Promise.all([atWork(first.port), atWork(second.port)]);
    first.child.kill('SIGKILL');
    const { exitCode, stdout, stderr } = await run;
    expect(stderr).toMatch(`an answer from ${first.address}`);
    expect(exitCode, stderr).toBe(0);
    expect(await summaryOf({ stdout })).toMatchObject({ done: 8, failed: 0 });
    expect((await readdir(join(cwd, 'out'))).filter((name) => name.endsWith('.avif')).length).toBe(8);
  }, 120_000);
});

describe('a server', () => {
  it('that does not answer at first is tried again, later each time', async () => {
    const { port } = await serve();
    const late = await door((client, count) => void (count < 3 ? client.destroy() : piped(client, port)));
    const run = await imgtool(['thumbnail', photo, '--json', '--server', late.address], {
      cwd: await tempDir(),
    });
    expect(run.exitCode, String(run.stderr)).toBe(0);
    expect(String(run.stderr).trim().split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(`an answer from ${late.address}, .*; trying again`),
      `${late.address} answers again`,
    ]);
    expect(late.connections()).toBeGreaterThanOrEqual(4);
  });

  it('that never answers fails all pictures together, with the address and the reason', async () => {
    const gone = await door((client) => void client.destroy());
    const cwd = await pictures(12);
    const run = await imgtool(['thumbnail', '.', '--json', '--quiet', '--server', gone.address], { cwd });
    expect(run.exitCode).toBe(1);
    const { outcomes, summary } = JSON.parse(String(run.stdout));
    expect(summary).toMatchObject({ done: 0, failed: 12 });
    for (const { error } of outcomes) {
      expect(error.code).toBe('E_UPSTREAM');
      expect(error.message).toMatch(gone.address);
    }
    // its tries are those of one picture, not of each
    expect(gone.connections()).toBeLessThan(12);
  });

  it('whose queue is full is asked again until all is done', async () => {
    const { address } = await serve('--workers', '1', '--queue', '1');
    const cwd = await pictures(10);
    const args = ['mean', '.', '--size', '51', '--out', 'out', '--json', '--server', address];
    const [run, other] = await Promise.all([
      imgtool(args, { cwd }),
      imgtool(
        args.map((arg) => (arg === 'out' ? 'other' : arg)),
        { cwd },
      ),
    ]);
    expect([run.exitCode, other.exitCode], String(run.stderr)).toEqual([0, 0]);
    expect(await summaryOf(run)).toMatchObject({ done: 10, failed: 0 });
  });

  it('that loses the connection gets only the rest of an upload', async () => {
    const { port, spool } = await serve();
    const picture = join(await tempDir(), 'large.png');
    const raw = { width: 1200, height: 1000, channels: 3 } as const;
    await sharp(await noise(1, 1200).then((jpeg) => sharp(jpeg).resize(1200, 1000).raw().toBuffer()), { raw })
      .png({ compressionLevel: 0 })
      .toFile(picture);
    const { length } = await readFile(picture);
    let resent = 0;
    const cut = await door(async (client, count) => {
      client.pause();
      // taken up again only after the server has seen the first one break
      if (count > 0) await vi.waitFor(async () => expect(await figure(port, CALLS)).toBe(1), PATIENT);
      const upstream = piped(client, port);
      let sent = 0;
      client.on('data', (data) => {
        sent += data.length;
        if (count > 0) resent = sent;
        if (count > 0 || sent < length / 2) return;
        client.unpipe(upstream).pause();
        void spooled(spool, length / 3).then(() => upstream.destroy());
      });
    });
    const cwd = await tempDir();
    const run = await imgtool(['thumbnail', picture, '--out', 'there', '--server', cut.address], { cwd });
    expect(run.exitCode, String(run.stderr)).toBe(0);
    expect(cut.connections()).toBe(2);
    expect(resent).toBeGreaterThan(length / 8);
    expect(resent).toBeLessThan(length * 0.8);
    await imgtool(['thumbnail', picture, '--out', 'here'], { cwd });
    expect(await readFile(join(cwd, 'there/large.png'))).toEqual(await readFile(join(cwd, 'here/large.png')));
  });

  it('is not asked twice for a picture that it cannot read', async () => {
    const { address, port } = await serve();
    const run = await imgtool(['thumbnail', fixture('hostile/jpeg-cut-half.jpg'), '--server', address], {
      cwd: await tempDir(),
    });
    expect(run.exitCode).toBe(1);
    expect(String(run.stderr)).toMatch('E_DECODE');
    expect(await figure(port, CALLS)).toBe(1);
  });

  it('that speaks something else is told at once', async () => {
    const { address } = await door((client) => void client.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    const run = await imgtool(['thumbnail', photo, '--server', address], { cwd: await tempDir() });
    expect(run.exitCode).toBe(1);
    expect(String(run.stderr)).toMatch('E_UPSTREAM');
  });
});

describe('Ctrl-C', () => {
  it('lets the pictures that are on their way come back, and takes no more', async () => {
    const { address, port } = await serve('--workers', '1');
    const cwd = await pictures(12);
    const args = ['run', '.', '--format', 'avif', '--out', 'out', '--json', '-j', '2', '--server', address];
    const run = started(cwd, ...args);
    await atWork(port);
    run.kill('SIGINT');
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(130);
    const { outcomes, interrupted } = JSON.parse(stdout);
    expect(interrupted).toBe(true);
    expect(outcomes.every(({ status }: { status: string }) => status === 'done')).toBe(true);
    expect(outcomes.length).toBeGreaterThan(0);
    expect(outcomes.length).toBeLessThan(12);
  });

  it('a second time leaves at once, and the server lets go of the work', async () => {
    const { address, port } = await serve('--workers', '1');
    const cwd = await pictures(2);
    const args = ['run', '.', '--format', 'avif', '--effort', '9', '--sizes', '700', '--server', address];
    const run = started(cwd, ...args, '--op', 'scale:size=3000x3000', '--out', 'out');
    await atWork(port);
    let said = '';
    run.stderr.on('data', (text) => {
      said += String(text);
    });
    run.kill('SIGINT');
    await vi.waitFor(() => expect(said).toMatch('once more'), PATIENT);
    run.kill('SIGINT');
    expect((await run).signal).toBe('SIGINT');
    await atWork(port, 0);
  });
});
