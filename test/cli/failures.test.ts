import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import type { Options } from 'execa';
import { expect, it } from 'vitest';
import { userEnvironment } from '../support/cli.js';
import { type ErrorRow, picture, type Report, told, workplace } from '../support/workplace.js';

const PNG = await picture('png');
const LARGE = await picture('png', 1200, 900);
const HALF = (await picture('jpeg', 300, 200)).subarray(0, 600);

function errorOf(report: Report, source: string): ErrorRow | undefined {
  return report.outcomes.find((outcome) => outcome.source === source)?.error;
}

it('goes on after a bad file, and names file, stage, code, what was expected and what came', async () => {
  const work = await workplace();
  await work.put({ 'd/a.jpg': HALF, 'd/b.png': 'words', 'd/c.png': '', 'd/x.png': PNG });
  const { code, report, err } = await work.json(['thumbnail', 'd']);
  expect(code).toBe(1);
  expect(told(report)).toEqual([
    'd/a.jpg E_DECODE',
    'd/b.png E_UNSUPPORTED',
    'd/c.png E_EMPTY',
    'd/x.png done',
  ]);
  for (const name of ['d/a.jpg', 'd/b.png', 'd/c.png']) {
    expect(errorOf(report, name)).toMatchObject({
      stage: 'decode',
      file: name,
      message: expect.stringMatching(/expected .+, received /),
    });
    expect(err).toContain(`failed ${name}: decode, `);
  }
});

it.each([
  ['all done', ['d/x.png'], 0],
  ['some failed', ['d/x.png', 'd/bad.png'], 1],
  ['a missing file', ['d/x.png', 'gone.png'], 1],
  ['a pattern without a match beside a file', ['d/x.png', 'q/*.png'], 1],
  ['an unknown flag', ['d/x.png', '--what'], 2],
  ['no input', [], 2],
  ['an empty folder', ['empty'], 3],
  ['a pattern without a match', ['q/*.png'], 3],
  ['two of them', ['q/*.png', 'd/*.gif'], 3],
  ['an empty list', ['--files-from', 'empty.txt'], 3],
  ['an empty folder, allowed', ['empty', '--allow-empty'], 0],
  ['a pattern without a match, allowed', ['q/*.png', '--allow-empty'], 0],
  ['a pattern without a match beside a file, allowed', ['d/x.png', 'q/*.png', '--allow-empty'], 0],
  ['a missing file, which is never allowed', ['gone.png', '--allow-empty'], 1],
])('ends with its exit code: %s', async (_, args, wanted) => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/bad.png': 'words', 'empty.txt': '' });
  await mkdir(work.at('empty'));
  const { code, report } = await work.json(['thumbnail', ...args]);
  expect(code).toBe(wanted);
  if (wanted === 3) expect(JSON.stringify(report)).toContain('E_NOTHING_MATCHED');
});

it('takes no more work after the first failure with --on-error stop, or after the Nth', async () => {
  const work = await workplace();
  const bad = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`d/${i}.png`, 'words']));
  await work.put({ ...bad, 'e/x.png': PNG });
  const one = ['--concurrency', '1'];
  const stop = await work.json(['thumbnail', 'd', 'e', '--on-error', 'stop', ...one]);
  const third = await work.json(['thumbnail', 'd', 'e', '--max-errors', '3', ...one]);
  const missing = await work.json(['thumbnail', 'gone.png', 'e/x.png', '--on-error', 'stop', ...one]);
  expect([stop.code, third.code, missing.code]).toEqual([1, 1, 1]);
  expect(stop.report.summary).toMatchObject({ failed: 1, done: 0 });
  expect([stop, third, missing].map(({ report }) => report.stopped)).toEqual([true, true, true]);
  const { err } = await work.run(['thumbnail', 'd', '--on-error', 'stop', ...one]);
  expect(err).toContain('inputs not taken yet were left alone');
  expect(third.report.summary).toMatchObject({ failed: 3, done: 0 });
  expect(missing.report.summary).toMatchObject({ failed: 1, done: 0 });
});

it('takes what decodes of a damaged picture with --lenient, and says so', async () => {
  const work = await workplace();
  await work.put({ 'x.jpg': HALF });
  const { code, report } = await work.json(['thumbnail', 'x.jpg', '--lenient']);
  expect(code).toBe(0);
  expect(report.outcomes[0]?.notes?.join()).toContain('damaged');
});

it('refuses pictures over --limit-pixels before decoding them', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG, 'large.png': LARGE });
  const { code, report } = await work.json(['thumbnail', 'x.png', 'large.png', '--limit-pixels', '1000000']);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['large.png E_LIMIT_PIXELS', 'x.png done']);
  expect(errorOf(report, 'large.png')).toMatchObject({ stage: 'decode', file: 'large.png' });
});

it.each([
  ['1000000', 'expected at most 1.0 MP, received 1200x900 (1.1 MP)'],
  ['1079999', 'expected at most 1.079999 MP, received 1200x900 (1.080000 MP)'],
  ['1000', 'expected at most 1000 pixels, received 1200x900 (1080000 pixels)'],
])('tells the limit of %s pixels and what is over it apart', async (limit, wanted) => {
  const work = await workplace();
  await work.put({ 'large.png': LARGE });
  const { report } = await work.json(['thumbnail', 'large.png', '--limit-pixels', limit]);
  expect(errorOf(report, 'large.png')?.message).toBe(wanted);
});

it.skipIf(process.platform !== 'linux')(
  'names a folder that cannot be made below /proc, and ends',
  async () => {
    const work = await workplace();
    await work.put({ 'x.png': PNG });
    for (const flags of [[], ['--no-manifest']]) {
      const { code, report } = await work.json(['thumbnail', 'x.png', '--out', '/proc/foo/in', ...flags], {
        timeout: 20_000,
      });
      expect(code).toBe(1);
      expect(errorOf(report, 'x.png')).toMatchObject({
        stage: 'write',
        message: expect.stringContaining('/proc/foo'),
      });
    }
  },
);

it('counts an enlarged result against the limit too', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  const { report } = await work.json(['scale', 'x.png', '--size', '2000x2000', '--limit-pixels', '1000000']);
  expect(report.outcomes[0]?.error?.code).toMatch(/E_LIMIT/);
});

it('names a file that may not be read, and goes on', async () => {
  const work = await workplace();
  await work.put({ 'd/no.png': PNG, 'd/x.png': PNG, 'd/locked/y.png': PNG });
  await chmod(work.at('d/no.png'), 0);
  await chmod(work.at('d/locked'), 0);
  const ordinary = await ordinaryUser(work.path, [work.at('d'), work.at('d/no.png'), work.at('d/locked')]);
  const { code, report } = await work.json(['thumbnail', 'd'], ordinary);
  await chmod(work.at('d/locked'), 0o700);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['d/locked E_PERMISSION', 'd/no.png E_PERMISSION', 'd/x.png done']);
  expect(errorOf(report, 'd/no.png')).toMatchObject({ stage: 'read', file: 'd/no.png' });
});

it('names a folder that may not be written to, and leaves nothing', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/in/y.png': PNG });
  await mkdir(work.at('o'));
  await chmod(work.at('o'), 0o555);
  const ordinary = await ordinaryUser(work.path, [work.at('o')]);
  for (const flags of [
    ['--out', 'o'],
    ['--out', 'o/in'],
    ['--out', 'o', '--no-manifest'],
  ]) {
    const { code, report } = await work.json(['thumbnail', 'd', ...flags], ordinary);
    expect(code).toBe(1);
    expect(told(report)).toEqual(['d/in/y.png E_PERMISSION', 'd/x.png E_PERMISSION']);
    expect(errorOf(report, 'd/x.png')?.stage).toBe('write');
  }
  expect(await readdir(work.at('o'))).toEqual([]);
});

/** Root may do everything: there the command runs as somebody else, to whom the files are given. */
async function ordinaryUser(folder: string, files: readonly string[]): Promise<Options> {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  for (const path of [folder, ...files]) await chown(path, nobody, nobody);
  return { uid: nobody, gid: nobody, env: { ...userEnvironment(), HOME: folder } };
}
