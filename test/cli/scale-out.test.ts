import { once } from 'node:events';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { picture, type Workplace, workplace } from '../support/workplace.js';

const DOT = await picture('png', 2, 2);

/** Fills a folder with as many names of one small picture. */
function crowd(work: Workplace, folder: string, count: number): void {
  mkdirSync(work.at(folder), { recursive: true });
  let original = '';
  for (let i = 0; i < count; i += 1) {
    const path = work.at(`${folder}/${String(i).padStart(5, '0')}.png`);
    // a file system allows some ten thousand names for one file
    if (i % 5000 === 0) {
      original = path;
      writeFileSync(path, DOT);
    } else linkSync(original, path);
  }
}

it('makes 10,000 small files, and finds them all unchanged in the next run', async () => {
  const work = await workplace();
  for (let i = 0; i < 10; i += 1) crowd(work, `d/${i}`, 1000);
  const args = ['thumbnail', 'd', '--out', 'o'];
  const first = await work.run([...args, '--quiet'], { timeout: 150_000 });
  expect([first.code, first.out, first.err]).toEqual([0, '', '']);
  expect(await work.files('o')).toHaveLength(10_000);
  const { report } = await work.json(args);
  expect(report.summary).toMatchObject({ total: 10_000, skipped: 10_000, failed: 0 });
}, 180_000);

/** Starts a run over 25,000 names, and stops it when it tells of its first picture. */
async function stoppedAtFirst(work: Workplace) {
  crowd(work, 'd', 25_000);
  const args = ['thumbnail', 'd', '--out', 'o', '--ndjson', '--concurrency', '1'];
  const child = execa(process.execPath, [CLI, ...args], {
    cwd: work.path,
    env: userEnvironment(),
    reject: false,
    timeout: 55_000,
  });
  await once(createInterface({ input: child.stdout }), 'line');
  child.kill('SIGSTOP');
  // not the child itself, which a promise would wait for
  return { child };
}

it('starts writing before a huge folder has been listed', async () => {
  const work = await workplace();
  const { child } = await stoppedAtFirst(work);
  expect((await readdir(work.at('o'))).length).toBeGreaterThan(0);
  rmSync(work.at('d'), { recursive: true });
  child.kill('SIGCONT');
  const { stdout } = await child;
  const { total } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  // what was taken away before it was listed cannot be told as missing
  expect(total).toBeLessThan(20_000);
});

it('knows all names before it writes where names may clash', async () => {
  const work = await workplace();
  crowd(work, 'd', 12_000);
  writeFileSync(work.at('d/zz.jpg'), DOT);
  writeFileSync(work.at('d/zz.png'), DOT);
  const { code, err } = await work.run(['thumbnail', 'd', '--out', 'o', '--format', 'webp']);
  expect([code, err]).toEqual([2, expect.stringContaining('E_COLLISION')]);
  expect(await work.files('o')).toEqual([]);
});

it('finds a vector beside its picture in a folder too large to be looked over first', async () => {
  const work = await workplace();
  crowd(work, 'd', 12_000);
  for (let i = 0; i < 12_000; i += 1000)
    writeFileSync(
      work.at(`d/${String(i).padStart(5, '0')}.svg`),
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    );
  const { code, err } = await work.run(['thumbnail', 'd', '--out', 'o']);
  expect([code, err]).toEqual([2, expect.stringContaining('E_COLLISION')]);
});
