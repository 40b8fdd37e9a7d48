import { chmod, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { picture, told, type Workplace, workplace } from '../support/workplace.js';

const PNG = await picture('png', 30, 20, 'teal');
const RED = await picture('png', 30, 20, 'red');
const ARGS = ['thumbnail', 'd', '--out', 'o'];

/** A folder with one picture and the result of a run over it. */
async function thumbed(): Promise<Workplace> {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await work.run(ARGS);
  return work;
}

it('leaves its own earlier result alone when nothing changed', async () => {
  const work = await thumbed();
  const before = await stat(work.at('o/x.png'));
  const { code, report } = await work.json(ARGS);
  expect(code).toBe(0);
  expect(report.outcomes).toMatchObject([{ source: 'd/x.png', status: 'skipped', reason: 'unchanged' }]);
  expect((await stat(work.at('o/x.png'))).ino).toBe(before.ino);
});

it('overwrites its own earlier result when the original or the options changed, or with --force', async () => {
  const work = await thumbed();
  await writeFile(work.at('d/x.png'), RED);
  expect(told((await work.json(ARGS)).report)).toEqual(['d/x.png done']);
  expect(told((await work.json([...ARGS, '--size', '10'])).report)).toEqual(['d/x.png done']);
  expect(told((await work.json([...ARGS, '--size', '10'])).report)).toEqual(['d/x.png skipped']);
  expect(told((await work.json([...ARGS, '--size', '10', '--force'])).report)).toEqual(['d/x.png done']);
});

it('makes a result anew that was taken away', async () => {
  const work = await thumbed();
  await unlink(work.at('o/x.png'));
  expect(told((await work.json(ARGS)).report)).toEqual(['d/x.png done']);
});

it.each([[[]], [['--no-manifest']]])('refuses to replace a file that no run wrote %j', async (flags) => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/y.png': PNG, 'o/x.png': 'mine' });
  const { code, report } = await work.json([...ARGS, ...flags]);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['d/x.png E_EXISTS', 'd/y.png done']);
  expect(await readFile(work.at('o/x.png'), 'utf8')).toBe('mine');
});

it('refuses to replace the result of other operations, and says whose it is', async () => {
  const work = await thumbed();
  const before = await readFile(work.at('o/x.png'));
  const { code, report } = await work.json(['grayscale', 'd', '--out', 'o']);
  expect(code).toBe(1);
  expect(report.outcomes).toMatchObject([{ error: { code: 'E_EXISTS', stage: 'write' } }]);
  expect(report.outcomes[0]?.error?.message).toContain('thumbnail');
  expect(await readFile(work.at('o/x.png'))).toEqual(before);
});

it('replaces anything but an input with --if-exists overwrite', async () => {
  const work = await thumbed();
  await work.put({ 'd/y.png': PNG, 'o/y.png': 'mine' });
  const { code, report } = await work.json(['grayscale', 'd', '--out', 'o', '--if-exists', 'overwrite']);
  expect(code).toBe(0);
  expect(told(report)).toEqual(['d/x.png done', 'd/y.png done']);
});

it('keeps whatever is there with --if-exists skip, and refuses it with fail', async () => {
  const work = await thumbed();
  await work.put({ 'd/y.png': PNG, 'o/y.png': 'mine' });
  const skip = await work.json([...ARGS, '--size', '10', '--if-exists', 'skip']);
  const fail = await work.json([...ARGS, '--if-exists', 'fail']);
  expect(skip.code).toBe(0);
  expect(skip.report.outcomes.map(({ reason }) => reason)).toEqual(['exists', 'exists']);
  expect(fail.code).toBe(1);
  expect(told(fail.report)).toEqual(['d/x.png E_EXISTS', 'd/y.png E_EXISTS']);
  expect(await readFile(work.at('o/y.png'), 'utf8')).toBe('mine');
});

it('remembers nothing with --no-manifest, and so knows no result as its own', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await work.run([...ARGS, '--no-manifest']);
  await expect(stat(work.at('o/.imgtool-manifest.ndjson'))).rejects.toThrow('ENOENT');
  expect(told((await work.json([...ARGS, '--no-manifest'])).report)).toEqual(['d/x.png E_EXISTS']);
});

it('gives results the permissions of their originals, and the times with --keep-times', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/y.png': PNG });
  await chmod(work.at('d/x.png'), 0o640);
  await chmod(work.at('d/y.png'), 0o604);
  for (const name of ['x', 'y']) await utimes(work.at(`d/${name}.png`), 1e9, 1.1e9);
  await work.run(ARGS);
  await work.run(['thumbnail', 'd', '--out', 'timed', '--keep-times']);
  const modes = await Promise.all(['o/x.png', 'o/y.png'].map((name) => stat(work.at(name))));
  expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o640, 0o604]);
  expect((await stat(work.at('o/x.png'))).mtimeMs).toBeGreaterThan(1.1e12);
  expect((await stat(work.at('timed/x.png'))).mtimeMs).toBe(1.1e12);
});

it('gives the result of standard input the permissions that the umask leaves', async () => {
  const work = await workplace();
  const umask = process.umask(0o027);
  try {
    await work.run(['thumbnail', '-', '--out', 'o'], { input: PNG });
  } finally {
    process.umask(umask);
  }
  expect((await stat(work.at('o/stdin.png'))).mode & 0o777).toBe(0o640);
});
