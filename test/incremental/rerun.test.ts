import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

interface Report {
  outcomes: { source: string; status: string; reason?: string; outputs: { path: string }[] }[];
  summary: { done: number; skipped: number; failed: number };
}

/** Two photographs in a folder, and a way to run over them that tells what was done. */
async function workshop() {
  const cwd = await tempDir();
  const [first = '', second = ''] = photos();
  await mkdir(join(cwd, 'in'));
  await copyFile(first, join(cwd, 'in/a.jpg'));
  await copyFile(second, join(cwd, 'in/b.jpg'));
  const long = new Date(Date.now() - 3_600_000);
  for (const name of ['a.jpg', 'b.jpg']) await utimes(join(cwd, 'in', name), long, long);
  const run = async (...args: string[]): Promise<Report> => {
    const { stdout } = await imgtool([...args, '--json'], { cwd });
    return JSON.parse(String(stdout)) as Report;
  };
  return { cwd, run, thumbs: (...args: string[]) => run('thumbnail', 'in', ...args) };
}

function done({ outcomes }: Report): string[] {
  return outcomes
    .filter(({ status }) => status === 'done')
    .map(({ source }) => source.replace(/^.*\//, ''))
    .sort();
}

describe('a second run', () => {
  test('over unchanged inputs does nothing', async () => {
    const { thumbs, cwd } = await workshop();
    expect(done(await thumbs())).toEqual(['a.jpg', 'b.jpg']);
    const before = await stat(join(cwd, 'imgtool-out/thumb-100/a.jpg'));
    const report = await thumbs();
    expect(report.outcomes.map(({ status, reason }) => [status, reason])).toEqual([
      ['skipped', 'unchanged'],
      ['skipped', 'unchanged'],
    ]);
    expect((await stat(join(cwd, 'imgtool-out/thumb-100/a.jpg'))).mtimeMs).toBe(before.mtimeMs);
  });

  test('redoes exactly what a changed input touches', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    await copyFile(photos()[2] ?? '', join(cwd, 'in/a.jpg'));
    expect(done(await thumbs())).toEqual(['a.jpg']);
  });

  test('leaves an input that only got another time alone, by its contents', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs('--verify');
    await utimes(join(cwd, 'in/a.jpg'), new Date(), new Date());
    expect(done(await thumbs())).toEqual([]);
  });

  test.each([
    ['a missing output', (path: string) => rm(path)],
    ['a damaged output', (path: string) => appendFile(path, 'x')],
    ['a replaced output', (path: string) => writeFile(path, 'mine')],
  ])('redoes %s', async (_, spoil) => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    const path = join(cwd, 'imgtool-out/thumb-100/b.jpg');
    const good = await readFile(path);
    await spoil(path);
    expect(done(await thumbs())).toEqual(['b.jpg']);
    expect(await readFile(path)).toEqual(good);
  });

  test('redoes all when an option changes the bytes, and nothing when it does not', async () => {
    const { thumbs } = await workshop();
    await thumbs();
    expect(done(await thumbs('--quality', '60'))).toEqual(['a.jpg', 'b.jpg']);
    expect(done(await thumbs('--quality', '60', '--concurrency', '1'))).toEqual([]);
  });

  test('redoes all with --force', async () => {
    const { thumbs } = await workshop();
    await thumbs();
    expect(done(await thumbs('--force'))).toEqual(['a.jpg', 'b.jpg']);
  });

  test('finds an output that was changed behind its size and time only with --verify', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    const path = join(cwd, 'imgtool-out/thumb-100/a.jpg');
    const { atimeMs, mtimeMs } = await stat(path);
    const bytes = await readFile(path);
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await utimes(path, atimeMs / 1000, mtimeMs / 1000);
    expect(done(await thumbs('--verify'))).toEqual(['a.jpg']);
  });

  test('works on another machine: a moved tree with new times is proved by contents', async () => {
    const { cwd, thumbs } = await workshop();
    await thumbs('--verify');
    const elsewhere = await tempDir();
    await rename(join(cwd, 'in'), join(elsewhere, 'in'));
    await rename(join(cwd, 'imgtool-out'), join(elsewhere, 'imgtool-out'));
    for (const name of ['a.jpg', 'b.jpg']) await utimes(join(elsewhere, 'in', name), new Date(), new Date());
    const { stdout } = await imgtool(['thumbnail', 'in', '--json'], { cwd: elsewhere });
    expect(done(JSON.parse(String(stdout)) as Report)).toEqual([]);
  });

  test('takes up what a failed run left: only the mended input is done', async () => {
    const { thumbs, cwd } = await workshop();
    await copyFile(fixture('hostile/jpeg-cut-half.jpg'), join(cwd, 'in/c.jpg'));
    expect((await thumbs()).summary).toMatchObject({ done: 2, failed: 1 });
    await copyFile(photos()[2] ?? '', join(cwd, 'in/c.jpg'));
    expect(done(await thumbs())).toEqual(['c.jpg']);
  });
});

describe('--prune', () => {
  test('removes the results of inputs that are gone, and says so', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    await rm(join(cwd, 'in/b.jpg'));
    const planned = await imgtool(['thumbnail', 'in', '--prune', '--dry-run'], { cwd });
    expect(planned.stdout).toContain('prune imgtool-out/thumb-100/b.jpg');
    expect(await readdir(join(cwd, 'imgtool-out/thumb-100'))).toContain('b.jpg');
    const pruned = await thumbs('--prune');
    expect(pruned.summary).toMatchObject({ skipped: 1, pruned: 1 });
    expect(await readdir(join(cwd, 'imgtool-out/thumb-100'))).not.toContain('b.jpg');
  });

  test('keeps a result that somebody changed', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    await rm(join(cwd, 'in/b.jpg'));
    await writeFile(join(cwd, 'imgtool-out/thumb-100/b.jpg'), 'edited by hand');
    expect((await thumbs('--prune')).summary).toMatchObject({ pruned: 0 });
    expect(await readFile(join(cwd, 'imgtool-out/thumb-100/b.jpg'), 'utf8')).toBe('edited by hand');
  });

  test('removes nothing when an input could not be found: a disk may be away', async () => {
    const { thumbs, cwd } = await workshop();
    await thumbs();
    await rename(join(cwd, 'in'), join(cwd, 'away'));
    await imgtool(['thumbnail', 'in', '--prune'], { cwd });
    expect(await readdir(join(cwd, 'imgtool-out/thumb-100'))).toEqual(
      expect.arrayContaining(['a.jpg', 'b.jpg']),
    );
  });
});
