import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRunning } from '../../../src/io/temporary.js';
import { openEmbedded } from '../../../src/jobs/embedded.js';
import type { JobState } from '../../../src/jobs/job.js';
import type { JobJson } from '../../../src/server/http/job-json.js';
import type { StatsJson } from '../../../src/server/http/job-stats.js';
import { CLI, imgtool, userEnvironment } from '../../support/cli.js';
import { tempDir } from '../../support/fixtures.js';
import { serve } from '../serving.js';
import { noise, SOON } from '../workshop.js';

const SOAK = process.env.IMGTOOL_SOAK !== undefined;
const [JOBS, ROUNDS] = SOAK ? [1000, 20] : [200, 3];
const MINUTES = 60_000;

/** A picture with what the command line makes of it. */
interface Sample {
  readonly bytes: Buffer;
  readonly size: number;
  readonly wanted: Buffer;
}

/** Pictures of noise as thumbnails of several sizes, made by the command line. */
async function samples(): Promise<Sample[]> {
  const folder = await tempDir();
  const made: Sample[] = [];
  for (const size of [20, 50, 90]) {
    const bytes = await noise(size, 300);
    await writeFile(join(folder, `${size}.jpg`), bytes);
    const out = join(folder, 'out');
    const run = ['thumbnail', join(folder, `${size}.jpg`), '--size', `${size}`, '--out', out];
    expect((await imgtool(run)).exitCode).toBe(0);
    const [name = ''] = (await readdir(out)).filter((file) => file.startsWith(`${size}`));
    made.push({ bytes, size, wanted: await readFile(join(out, name)) });
  }
  return made;
}

/** Queues one job; gives its id, or undefined when no answer came: then nobody was promised anything. */
async function submitted(url: string, { bytes, size }: Sample): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/v1/process?thumb=${size}`, {
      method: 'POST',
      headers: { prefer: 'respond-async' },
      body: new Uint8Array(bytes),
    });
    const { id } = (await response.json()) as JobJson;
    expect(response.status).toBe(202);
    return id;
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

async function stats(url: string): Promise<StatsJson> {
  return (await (await fetch(`${url}/v1/jobs/stats`)).json()) as StatsJson;
}

function unfinished({ depth }: StatsJson): number {
  return [depth.queued, depth.running].flatMap((levels) => Object.values(levels)).reduce((a, b) => a + b, 0);
}

/** All jobs in a data folder, and what else is in it, read when no server has it. */
async function contents(
  data: string,
): Promise<{ jobs: JobState[]; blobs: string[]; faults: readonly string[] }> {
  const queue = await openEmbedded({ folder: data });
  try {
    const jobs: JobState[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await queue.list({ limit: 1000, ...(cursor !== undefined && { cursor }) });
      jobs.push(...page.jobs);
      cursor = page.next;
    }
    return { jobs, blobs: await readdir(join(data, 'blobs')), faults: await queue.check() };
  } finally {
    await queue.close();
  }
}

function blobsOf({ work, outputs }: JobState): string[] {
  return [work.source, ...outputs.map(({ at }) => at)].flatMap((at) => (at.kind === 'blob' ? at.blob : []));
}

describe('a server killed at any moment', () => {
  it(
    `loses no accepted job and ends none twice: ${ROUNDS} times during ${JOBS} jobs`,
    async () => {
      const data = join(await tempDir(), 'data');
      const spool = await tempDir();
      const pictures = await samples();
      const accepted = new Map<string, Sample>();
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = accepted.size;
        const first = await serve('--data-dir', data, '--spool-dir', spool);
        const { workers } = await stats(first.url);
        const moment = 1 + Math.floor(Math.random() * JOBS);
        await handedIn(
          first.url,
          JOBS,
          () => accepted.size - before >= moment && first.child.kill('SIGKILL'),
        );
        first.child.kill('SIGKILL');
        await first.child;
        const heard = accepted.size - before;
        const second = await serve('--data-dir', data, '--spool-dir', spool);
        const left = unfinished(await stats(second.url));
        await handedIn(second.url, JOBS - heard);
        await vi.waitFor(async () => expect(unfinished(await stats(second.url))).toBe(0), {
          timeout: 8 * MINUTES,
          interval: 200,
        });
        await checked(second.url, [...accepted].slice(before));
        await vi.waitFor(() => expect(workers.idle.concat(workers.busy).filter(isRunning)).toEqual([]), SOON);
        second.child.kill('SIGTERM');
        expect((await second.child).exitCode).toBe(0);
        if (SOAK)
          console.log(`round ${round + 1}: killed after ${heard} accepted, ${left} of them left to do`);
      }
      const { jobs, blobs, faults } = await contents(data);
      expect(faults).toEqual([]);
      expect(jobs.filter(({ state, outputs }) => state !== 'succeeded' || outputs.length !== 1)).toEqual([]);
      const known = new Set(jobs.map(({ id }) => id));
      expect([...accepted.keys()].filter((id) => !known.has(id))).toEqual([]);
      expect(blobs.sort()).toEqual(jobs.flatMap(blobsOf).sort());
      await sweptSpool(spool);
      if (SOAK) console.log(`${accepted.size} accepted, ${jobs.length} on record, all succeeded`);

      async function handedIn(url: string, count: number, heard: () => unknown = () => undefined) {
        let left = count;
        const client = async () => {
          while (left > 0) {
            left -= 1;
            const sample = pictures[left % pictures.length] as Sample;
            const id = await submitted(url, sample);
            if (id === undefined) return;
            accepted.set(id, sample);
            heard();
          }
        };
        await Promise.all(Array.from({ length: 8 }, client));
      }
    },
    SOAK ? 60 * MINUTES : 10 * MINUTES,
  );

  /** Each job as its client sees it: one result, with the bytes that the command line makes. */
  async function checked(url: string, jobs: readonly (readonly [string, Sample])[]): Promise<void> {
    for (const [id, { wanted }] of jobs) {
      const job = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as JobJson;
      expect(job).toMatchObject({ id, state: 'succeeded', outputs: [{}] });
      const result = await fetch(`${url}/v1/jobs/${id}/result`);
      expect(Buffer.from(await result.arrayBuffer()).equals(wanted)).toBe(true);
    }
  }

  /** What killed servers left in the spool goes with the next start, once it is an hour old. */
  async function sweptSpool(spool: string): Promise<void> {
    const left = await readdir(spool);
    expect(left).toHaveLength(ROUNDS);
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of left) await utimes(join(spool, name), old, old);
    const { child } = await serve('--spool-dir', spool);
    child.kill('SIGTERM');
    await child;
    expect(await readdir(spool)).toEqual([]);
  }

  it('takes its decoder processes with it, also those at work', async () => {
    const { url, child } = await serve('--workers', '2');
    await endless(url);
    const { workers } = await stats(url);
    expect(workers.busy.length).toBeGreaterThan(0);
    const pids = [...workers.busy, ...workers.idle];
    expect(pids.every(isRunning)).toBe(true);
    child.kill('SIGKILL');
    await child;
    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), SOON);
  });
});

/** A job that runs, and would for minutes. */
async function endless(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/process?format=avif&effort=9`, {
    method: 'POST',
    headers: { prefer: 'respond-async' },
    body: new Uint8Array(await noise(1)),
  });
  const { id } = (await response.json()) as JobJson;
  await vi.waitFor(async () => expect((await stats(url)).workers.busy).toHaveLength(1), SOON);
  return id;
}

/** A source of one picture that has its clients wait for it until it is released. */
async function held() {
  let release = (_bytes: Buffer | undefined): void => undefined;
  const answer = new Promise<Buffer | undefined>((resolve) => {
    release = resolve;
  });
  const origin = createServer((_request, response) => void answer.then((bytes) => response.end(bytes)));
  const asked = once(origin, 'request');
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  onTestFinished(() => void origin.close());
  return { url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`, asked, release };
}

describe('a server told to end', () => {
  it('ends well from the moment that it says where it is', async () => {
    const spool = await tempDir();
    const ends = Array.from({ length: 4 }, async () => {
      const child = execa(
        process.execPath,
        [CLI, 'serve', '--port', '0', '--no-jobs', '--spool-dir', spool],
        {
          env: userEnvironment(),
          reject: false,
        },
      );
      child.stderr.once('data', () => child.kill('SIGTERM'));
      const { exitCode, signal, stderr } = await child;
      return [exitCode, signal, /^imgtool .* serves /.test(stderr)];
    });
    expect(await Promise.all(ends)).toEqual(Array(4).fill([0, undefined, true]));
  });

  it('finishes the jobs that run; what waits is done after the next start', async () => {
    const data = join(await tempDir(), 'data');
    const [sample] = await samples();
    const source = await held();
    const allowed = ['--allow-url', source.url, '--allow-private', '--limit-fetch-ms', '60000'];
    const first = await serve('--data-dir', data, '--workers', '1', ...allowed);
    const slow = await fetch(`${first.url}/v1/image?src=${source.url}/a.jpg&thumb=100`, {
      headers: { prefer: 'respond-async' },
    });
    const { id } = (await slow.json()) as JobJson;
    await source.asked;
    const waiting = await Promise.all(
      Array.from({ length: 5 }, () => sample && submitted(first.url, sample)),
    );
    first.child.kill('SIGTERM');
    await vi.waitFor(() => expect(first.said()).toMatch('finishing what runs'), SOON);
    source.release(sample?.bytes);
    expect((await first.child).exitCode).toBe(0);
    const { jobs } = await contents(data);
    expect(jobs.find((job) => job.id === id)?.state).toBe('succeeded');
    expect(
      jobs
        .filter(({ state }) => state === 'queued')
        .map((job) => job.id)
        .sort(),
    ).toEqual(waiting.map(String).sort());
    const second = await serve('--data-dir', data);
    await vi.waitFor(async () => expect(unfinished(await stats(second.url))).toBe(0), SOON);
    for (const job of waiting)
      expect((await fetch(`${second.url}/v1/jobs/${job}/result`)).status, job).toBe(200);
  });

  it('returns to the queue what a second signal does not let it finish', async () => {
    const data = join(await tempDir(), 'data');
    const first = await serve('--data-dir', data);
    const id = await endless(first.url);
    first.child.kill('SIGTERM');
    await vi.waitFor(() => expect(first.said()).toMatch('finishing what runs'), SOON);
    first.child.kill('SIGTERM');
    expect((await first.child).exitCode).toBe(143);
    const { jobs, faults } = await contents(data);
    expect(faults).toEqual([]);
    expect(jobs).toMatchObject([{ id, state: 'queued' }]);
    const second = await serve('--data-dir', data);
    await vi.waitFor(async () => expect((await stats(second.url)).workers.busy).toHaveLength(1), SOON);
    expect((await fetch(`${second.url}/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(202);
  });
});

describe('a data folder', () => {
  it('is one server’s; another says whose it is', async () => {
    const data = join(await tempDir(), 'data');
    await serve('--data-dir', data);
    const { exitCode, stderr } = await imgtool(['serve', '--port', '0', '--data-dir', data]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/E_DATA_IN_USE.*one that another imgtool serve has open/s);
    expect(stderr).toMatch(data);
  });

  it('that is damaged is named, with what to do', async () => {
    const data = await tempDir();
    await writeFile(join(data, 'jobs.sqlite'), 'no database, but long enough to be one'.repeat(100));
    const { exitCode, stderr } = await imgtool(['serve', '--port', '0', '--data-dir', data]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/E_CONFIG.*jobs\.sqlite.*expected a database of jobs.*--data-dir/s);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('that cannot be written is named, with the flags that help', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'file'), '');
    const data = join(folder, 'file', 'data');
    const { exitCode, stderr } = await imgtool(['serve', '--port', '0', '--data-dir', data]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(data);
    expect(stderr).toMatch(/E_WRITE.*expected a data folder that can be written.*--data-dir.*--no-jobs/s);
  });
});

/** The queue asks for the room on its disk once a second. */
const ROOM = { ...SOON, interval: 100 };

/** Whether file systems may be mounted in a name space of our own, where they leave no trace. */
const MAY_MOUNT = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

describe('a full disk', () => {
  it.skipIf(!MAY_MOUNT)('refuses new jobs, and keeps and does those it has', async () => {
    const disk = join(await tempDir(), 'disk');
    await mkdir(disk);
    // the queue wants 64 MiB free for a new job: there are until the filler takes them
    const steps = [
      `mount -t tmpfs -o size=96m none ${disk}`,
      `"$NODE" "$CLI" serve --port 0 --workers 1 --data-dir ${disk}/data & read -r line`,
      `head -c 40000000 /dev/zero > ${disk}/filler; read -r line`,
      `rm ${disk}/filler; read -r line; kill -KILL $!; wait`,
    ];
    const env = { ...userEnvironment(), NODE: process.execPath, CLI };
    const child = execa('unshare', ['-rm', '--kill-child', 'bash', '-c', steps.join('; ')], {
      env,
      reject: false,
      stdin: 'pipe',
    });
    // each step waits for a line, and the end of the input is one: the last ends the server
    onTestFinished(async () => {
      child.stdin.end();
      await child;
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += String(text);
    });
    await vi.waitFor(() => expect(said).toMatch(/\n.*try /), SOON);
    const [url = ''] = /http:\/\/[\d.:]+/.exec(said) ?? [];
    const [sample] = await samples();
    if (sample === undefined) throw new Error('expected a sample');
    await endless(url);
    const kept = await submitted(url, sample);
    child.stdin.write('\n');
    const refused = await vi.waitFor(async () => {
      const response = await fetch(`${url}/v1/process?thumb=20`, {
        method: 'POST',
        headers: { prefer: 'respond-async' },
        body: new Uint8Array(sample.bytes),
      });
      expect(response.status).toBe(507);
      return response;
    }, ROOM);
    expect(await refused.json()).toMatchObject({ code: 'E_DISK_FULL' });
    expect(await (await fetch(`${url}/v1/jobs/${kept}`)).json()).toMatchObject({ state: 'queued' });
    child.stdin.write('\n');
    const after = await vi.waitFor(() => submitted(url, sample), ROOM);
    expect(after).toMatch(/^[0-9a-f-]{36}$/);
  });
});
