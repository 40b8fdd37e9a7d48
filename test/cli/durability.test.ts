import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { picture, type Report, type Workplace, workplace } from '../support/workplace.js';

const PNG = await picture('png');
/** A picture that does not compress, so that writing it takes a while. */
const NOISE = await sharp({
  create: {
    width: 500,
    height: 400,
    channels: 3,
    background: 'gray',
    noise: { type: 'gaussian', mean: 128, sigma: 60 },
  },
})
  .png({ compressionLevel: 0 })
  .toBuffer();

const isTemporary = (name: string): boolean => name.endsWith('.tmp');

/** Starts a run that replaces every result in `o`. */
function replacing(work: Workplace) {
  const args = [
    'scale',
    'd',
    '--size',
    '1200x1200',
    '--format',
    'jpeg',
    '--quality',
    '100',
    '--out',
    'o',
    '--force',
    '--ndjson',
  ];
  return execa(process.execPath, [CLI, ...args], {
    cwd: work.path,
    env: userEnvironment(),
    reject: false,
    timeout: 50_000,
  });
}

/** Kills a run with -9: at the nth line it prints, or when the nth temporary file comes up, so amid a write. */
async function killed(work: Workplace, at: 'line' | 'temporary', nth: number): Promise<void> {
  const child = replacing(work);
  let left = nth;
  const strike = (): void => {
    left -= 1;
    if (left === 0) child.kill('SIGKILL');
  };
  const seen = new Set<string>();
  const watcher = watch(work.at('o'), (_, name) => {
    if (at !== 'temporary' || name === null || !isTemporary(name) || seen.has(name)) return;
    seen.add(name);
    strike();
  });
  if (at === 'line') createInterface({ input: child.stdout }).on('line', strike);
  await child;
  watcher.close();
}

it('leaves the old file or the whole new one when killed at any moment, and litter that the next run sweeps', async () => {
  const work = await workplace();
  const names = ['a', 'b', 'c', 'd'];
  await work.put(Object.fromEntries(names.map((name) => [`d/${name}.png`, NOISE])));
  await replacing(work);
  const whole = await readFile(work.at('o/a.jpg'));
  const old = Buffer.from('an older result');
  let litter = 0;
  for (let round = 1; round <= 15; round += 1) {
    await Promise.all(names.map((name) => writeFile(work.at(`o/${name}.jpg`), old)));
    await killed(work, round % 3 === 0 ? 'line' : 'temporary', 1 + (round % 4));
    for (const name of names) {
      const bytes = await readFile(work.at(`o/${name}.jpg`));
      expect(bytes.equals(old) || bytes.equals(whole)).toBe(true);
    }
    litter += (await readdir(work.at('o'))).filter(isTemporary).length;
  }
  expect(litter).toBeGreaterThan(0);
  expect((await replacing(work)).exitCode).toBe(0);
  expect(await work.files('o')).toEqual(names.map((name) => `${name}.jpg`));
  for (const name of names) expect(await readFile(work.at(`o/${name}.jpg`))).toEqual(whole);
}, 240_000);

/** The temporary file of a run that was killed in the midst of writing; a kill that came too late is tried again. */
async function leftBehind(work: Workplace): Promise<string> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await killed(work, 'temporary', 1);
    const [dead] = (await readdir(work.at('o'))).filter(isTemporary);
    if (dead !== undefined) return dead;
    await rm(work.at('o/x.jpg'), { force: true });
    await rm(work.at('o/x.png'), { force: true });
  }
  throw new Error('no kill came in time to leave a temporary file');
}

it('sweeps what dead runs left and nothing that a living one or another machine may need', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': NOISE });
  await mkdir(work.at('o'));
  const dead = await leftBehind(work);
  const parts = /^(\.imgtool-)([0-9a-z]+)-(\d+)(-[0-9a-f]+\.tmp)$/.exec(dead) ?? [];
  const [, start, host, , end] = parts;
  const alive = `${start}${host}-${process.pid}${end}`;
  const elsewhere = `${start}ab12-1${end}`;
  const longAgo = `${start}ab12-2${end}`;
  const similar = `.imgtool-notes.tmp`;
  for (const name of [alive, elsewhere, longAgo, similar]) await writeFile(work.at(`o/${name}`), '');
  await utimes(work.at(`o/${longAgo}`), 1e9, 1e9);
  await work.run(['thumbnail', 'd', '--out', 'o', '--if-exists', 'overwrite']);
  expect((await readdir(work.at('o'))).filter(isTemporary).sort()).toEqual(
    [alive, elsewhere, similar].sort(),
  );
});

it('lets two runs at once write into one folder', async () => {
  const work = await workplace();
  const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`d/${i}.png`, PNG]));
  await work.put(files);
  const runs = await Promise.all([0, 1].map(() => work.json(['thumbnail', 'd', '--out', 'o'])));
  for (const { code, report } of runs) {
    expect(code).toBe(0);
    expect(report.summary).toMatchObject({ total: 60, failed: 0 });
  }
  expect(await work.files('o')).toHaveLength(60);
  const { report } = await work.json(['thumbnail', 'd', '--out', 'o']);
  expect(report.summary).toMatchObject({ total: 60, skipped: 60 });
});

/** Whether file systems may be mounted in a name space of our own, where they leave no trace. */
const MAY_MOUNT = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** Runs a shell line in such a name space; `imgtool` in it is the built command. */
function mounted(work: Workplace, line: string) {
  const script = `imgtool() { "$NODE" "$CLI" "$@"; }; ${line}`;
  const env = { ...userEnvironment(), NODE: process.execPath, CLI };
  return execa('unshare', ['-rm', 'bash', '-c', script], {
    cwd: work.path,
    env,
    reject: false,
    timeout: 50_000,
  });
}

async function reportIn(work: Workplace): Promise<Report> {
  return JSON.parse(await readFile(work.at('report'), 'utf8')) as Report;
}

it.skipIf(!MAY_MOUNT)(
  'says that the disk is full, leaves no litter, and does as much as there is room for',
  async () => {
    const work = await workplace();
    const names = Array.from({ length: 12 }, (_, i) => `d/${i}.png`);
    await work.put({ ...Object.fromEntries(names.map((name) => [name, NOISE])), 'o/keep': '' });
    const run = 'imgtool rotate d --angle 90 --out o --json > report; code=$?; ls -A o; exit $code';
    const { stdout, exitCode } = await mounted(work, `mount -t tmpfs -o size=2m none o; ${run}`);
    const { outcomes, summary } = await reportIn(work);
    expect(exitCode).toBe(1);
    expect([summary.done > 0, summary.failed > 0, summary.total]).toEqual([true, true, 12]);
    for (const { status, error } of outcomes)
      if (status === 'failed') expect(error).toMatchObject({ code: 'E_DISK_FULL', stage: 'write' });
    const left = stdout.split('\n').filter((name) => name !== '.imgtool-manifest.ndjson');
    expect(left).toHaveLength(summary.done);
  },
);

it.skipIf(!MAY_MOUNT)('says that there is no room for even one file', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'o/keep': '' });
  const fill = 'mount -t tmpfs -o size=4k none o; head -c 4096 /dev/zero > o/full';
  const { exitCode } = await mounted(work, `${fill}; imgtool thumbnail d --out o --json > report`);
  const { outcomes } = await reportIn(work);
  expect(exitCode).toBe(1);
  expect(outcomes).toMatchObject([{ source: 'd/x.png', error: { code: 'E_DISK_FULL', stage: 'write' } }]);
});

it.skipIf(!MAY_MOUNT)('says that a file system is read-only', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'o/keep': '' });
  const { exitCode } = await mounted(
    work,
    'mount -t tmpfs -o ro none o; imgtool thumbnail d --out o --json > report',
  );
  const { outcomes } = await reportIn(work);
  expect(exitCode).toBe(1);
  expect(outcomes).toMatchObject([{ source: 'd/x.png', error: { code: 'E_PERMISSION', stage: 'write' } }]);
});

it.skipIf(!MAY_MOUNT)('keeps the original when there is no room for its replacement', async () => {
  const work = await workplace();
  await work.put({ 'x.png': NOISE, 'd/keep': '' });
  const fill =
    'mount -t tmpfs -o size=700k none d; cp x.png d/; imgtool rotate d --angle 90 --in-place --json > report';
  const { stdout } = await mounted(work, `${fill}; cmp x.png d/x.png && ls -A d`);
  expect((await reportIn(work)).outcomes).toMatchObject([{ error: { code: 'E_DISK_FULL' } }]);
  expect(stdout).toBe('x.png');
});
