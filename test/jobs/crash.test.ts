import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbedded } from '../../src/jobs/embedded.js';
import { tempDir } from '../support/fixtures.js';
import { buildChild, linesOf, startChild } from './processes.js';

let shop: string;
let script: string;
beforeAll(async () => {
  shop = await mkdtemp(join(tmpdir(), 'imgtool-jobs-'));
  script = await buildChild(shop);
});
afterAll(() => rm(shop, { recursive: true, force: true }));

const SOAK = process.env.IMGTOOL_SOAK !== undefined;
const [JOBS, KILLS] = SOAK ? [1000, 20] : [200, 3];
/** Jobs that a process is given which is to be killed. */
const SHARE = Math.ceil(JOBS / (KILLS + 1));

/** The ids that lines of a kind name. */
function named(lines: readonly string[], kind: string): string[] {
  return lines.flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []));
}

describe('a process killed at any moment', () => {
  test(
    `loses no accepted job and ends none twice: ${KILLS} times during ${JOBS} jobs`,
    async () => {
      const folder = join(await tempDir(), 'data');
      const heard: string[] = [];
      for (let run = 0; run < KILLS; run++) {
        const child = startChild(script, 'work', folder, SHARE, 'stay');
        // each job is accepted, started and done at least, and the child stays: so there is such a line, however late it is read
        const moment = 1 + Math.floor(Math.random() * 3 * SHARE);
        const { lines, end } = await linesOf(
          child,
          (_, number) => number === moment && child.kill('SIGKILL'),
        );
        expect(end).toBe('SIGKILL');
        heard.push(...lines);
      }
      const rest = Math.max(0, JOBS - named(heard, 'accepted').length);
      const { lines, end } = await linesOf(startChild(script, 'work', folder, rest));
      expect(end).toBe(0);
      heard.push(...lines);
      const accepted = named(heard, 'accepted');
      expect(accepted.length).toBeGreaterThanOrEqual(JOBS);
      const done = named(heard, 'done');
      expect(new Set(done).size).toBe(done.length);
      await checkAll(folder, accepted);
    },
    SOAK ? 600_000 : 120_000,
  );

  test('leaves nothing running: what it did is queued again at once', async () => {
    const folder = join(await tempDir(), 'data');
    const child = startChild(script, 'stick', folder, 3);
    const { lines } = await linesOf(child, (_, number) => number === 3 && child.kill('SIGKILL'));
    const queue = await openEmbedded({ folder });
    try {
      const { jobs } = await queue.list();
      expect(jobs.map(({ id }) => id).sort()).toEqual(named(lines, 'started').sort());
      expect(jobs.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['queued', 0]));
      expect(await queue.counts()).toMatchObject({ lost: 3 });
    } finally {
      await queue.close();
    }
  });

  async function checkAll(folder: string, accepted: readonly string[]): Promise<void> {
    const queue = await openEmbedded({ folder });
    try {
      expect(await queue.check()).toEqual([]);
      const files = new Set(await readdir(join(folder, 'blobs')));
      for (const id of accepted) {
        const job = await queue.get(id);
        expect(job).toMatchObject({ state: 'succeeded', outputs: [{ at: { kind: 'blob' } }] });
        const at = job?.outputs[0]?.at;
        const blob = at?.kind === 'blob' ? at.blob : '';
        expect(await readFile(queue.blobs.path(blob), 'utf8')).toMatch(new RegExp(`^${id} `));
        files.delete(blob);
        if (job?.work.source.kind === 'blob') files.delete(job.work.source.blob);
      }
      // a job may have been taken in without its caller hearing of it; each such has an input and a result
      const { succeeded } = (await queue.counts()).depth;
      expect(files.size).toBe((succeeded.normal - accepted.length) * 2);
    } finally {
      await queue.close();
    }
  }
});

describe('a data folder', () => {
  test('is one process’s, until that is gone, however it went', async () => {
    const folder = join(await tempDir(), 'data');
    const child = startChild(script, 'hold', folder);
    let refusal: Promise<unknown> = Promise.resolve();
    const { end } = await linesOf(child, () => {
      refusal = openEmbedded({ folder }).catch((thrown: unknown) => thrown);
      void refusal.finally(() => child.kill('SIGKILL'));
    });
    expect(end).toBe('SIGKILL');
    expect(await refusal).toMatchObject({
      code: 'E_DATA_IN_USE',
      message: 'expected a data folder of its own, received one that another imgtool serve has open',
    });
    const queue = await openEmbedded({ folder });
    await expect(openEmbedded({ folder })).rejects.toMatchObject({ code: 'E_DATA_IN_USE' });
    await queue.close();
    await (await openEmbedded({ folder })).close();
    expect(existsSync(join(folder, 'jobs.sqlite-wal'))).toBe(false);
  });
});

/** Whether this machine lets us mount a small disk of our own. */
const mounts = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe('a full disk', () => {
  test.skipIf(!mounts)('refuses new jobs, keeps the old, and finishes them once there is room', async () => {
    const disk = join(await tempDir(), 'disk');
    await mkdir(disk);
    const steps = [
      `mount -t tmpfs -o size=10m tmpfs ${disk}`,
      `head -c 5000000 /dev/zero > ${disk}/filler`,
      `exec ${process.execPath} ${script} fill ${disk}/data`,
    ];
    const child = spawn('unshare', ['-rm', 'sh', '-c', steps.join(' && ')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { lines, end } = await linesOf(child);
    const jobs = /^kept (\d+) of \1 /.exec(lines[1] ?? '')?.[1];
    expect(Number(jobs)).toBeGreaterThan(20);
    expect(lines).toEqual([
      'refused E_DISK_FULL',
      `kept ${jobs} of ${jobs} inputs 1`,
      `finished ${jobs} faults 0`,
    ]);
    expect(end).toBe(0);
  });
});
