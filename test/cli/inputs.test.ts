import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { picture, told, workplace } from '../support/workplace.js';

const PNG = await picture('png');
const JPEG = await picture('jpeg');

it('takes files, a directory, a glob, standard input and a list in one run, each picture once', async () => {
  const work = await workplace();
  await work.put({
    'one.png': PNG,
    'tree/a/x.jpg': JPEG,
    'tree/y.jpg': JPEG,
    'more/p.png': PNG,
    'more/q.txt': 'no',
    'listed/z.png': PNG,
    'list.txt': 'listed/z.png\none.png\n',
  });
  const args = ['thumbnail', 'one.png', 'tree', 'more/*.png', '-', '--files-from', 'list.txt', '--out', 'o'];
  const { code, report } = await work.json(args, { input: PNG });
  expect(code).toBe(0);
  expect(told(report)).toEqual([
    '- done',
    'listed/z.png done',
    'more/p.png done',
    'one.png done',
    'tree/a/x.jpg done',
    'tree/y.jpg done',
  ]);
  expect(await work.files('o')).toEqual([
    'a/x.jpg',
    'listed/z.png',
    'one.png',
    'p.png',
    'stdin.png',
    'y.jpg',
  ]);
});

it('drops the name of one directory and keeps the names of several', async () => {
  const work = await workplace();
  await work.put({ 'a/in/x.png': PNG, 'b/in/x.png': PNG });
  await work.run(['thumbnail', 'a', '--out', 'one']);
  await work.run(['thumbnail', 'a/', './b', '--out', 'two']);
  expect(await work.files('one')).toEqual(['in/x.png']);
  expect(await work.files('two')).toEqual(['a/in/x.png', 'b/in/x.png']);
});

it('keeps a named file relative to its own folder and a glob to its fixed prefix', async () => {
  const work = await workplace();
  await work.put({ 'deep/er/x.png': PNG, 'g/one/y.png': PNG, 'g/two/z.png': PNG });
  await work.run(['thumbnail', 'deep/er/x.png', 'g/*/*.png', '--out', 'o']);
  expect(await work.files('o')).toEqual(['one/y.png', 'two/z.png', 'x.png']);
});

it('takes only the files of a directory itself with --no-recursive', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/in/y.png': PNG });
  await work.run(['thumbnail', 'd', '--no-recursive', '--out', 'o']);
  expect(await work.files('o')).toEqual(['x.png']);
});

it('reads lists of lines and of NUL-separated names, from a file and from standard input', async () => {
  const work = await workplace();
  await work.put({ 'with\nline end.png': PNG, 'b.png': PNG, 'c.png': PNG });
  await work.put({ nul: 'with\nline end.png\0b.png\0', crlf: 'b.png\r\n\r\nc.png' });
  const nul = await work.json(['thumbnail', '--files-from', 'nul', '--out', 'o1']);
  const crlf = await work.json(['thumbnail', '--files-from', '-', '--out', 'o2'], {
    inputFile: work.at('crlf'),
  });
  const both = await work.json(['thumbnail', '--files-from', 'nul', '--files-from', 'crlf', '--out', 'o3']);
  expect(told(nul.report)).toEqual(['b.png done', 'with\nline end.png done']);
  expect(told(crlf.report)).toEqual(['b.png done', 'c.png done']);
  expect(both.report.summary).toMatchObject({ total: 3, done: 3 });
});

it('takes standard input once only, as a picture or as a list', async () => {
  const work = await workplace();
  for (const args of [
    ['-', '-'],
    ['-', '--files-from', '-'],
    ['--files-from', '-', '--files-from', '-'],
  ]) {
    expect((await work.run(['thumbnail', ...args], { input: '' })).code).toBe(2);
  }
});

it('refuses a list that cannot be read, or is no list, as a usage error that names it', async () => {
  const work = await workplace();
  const { code, err } = await work.run(['thumbnail', '--files-from', 'gone.txt']);
  expect(code).toBe(2);
  expect(err).toContain('gone.txt');
});

it('takes an argument that exists literally, whatever it looks like', async () => {
  const work = await workplace();
  await work.put({ 'x[1].png': PNG, 'x1.png': PNG, 'd[ab]/y.png': PNG, 'da/z.png': PNG, '*.png': PNG });
  await work.run(['thumbnail', 'x[1].png', 'd[ab]', '*.png', '--out', 'o']);
  expect(await work.files('o')).toEqual(['*.png', 'x[1].png', 'y.png']);
});

it('expands the same characters as a pattern where nothing has that name', async () => {
  const work = await workplace();
  await work.put({ 'x1.png': PNG, 'x2.png': PNG, 'y1.png': PNG });
  await work.run(['thumbnail', 'x[12].png', '--out', 'o']);
  expect(await work.files('o')).toEqual(['x1.png', 'x2.png']);
});

it('counts and names the pictures it cannot read, once, and skips hidden files', async () => {
  const work = await workplace();
  await work.put({
    'd/a.heic': 'x',
    'd/b.HEIC': 'x',
    'd/c.bmp': 'x',
    'd/.h.png': PNG,
    'd/n.txt': 'x',
    'd/x.png': PNG,
  });
  const { report } = await work.json(['thumbnail', 'd']);
  expect(report.summary).toMatchObject({ total: 1, done: 1, unreadable: { heic: 2, bmp: 1 } });
  const gathered = await work.json(['thumbnail', 'd', '--format', 'webp', '--out', 'o']);
  expect(gathered.report.summary).toMatchObject({ total: 1, done: 1, unreadable: { heic: 2, bmp: 1 } });
  const { err } = await work.run(['thumbnail', 'd', '--out', 'o2']);
  expect(err).toContain('2 HEIC, 1 BMP');
});

it('tries a file named outright whatever its extension, and names the result by its bytes', async () => {
  const work = await workplace();
  await work.put({ picture: PNG, 'notes.txt': JPEG, 'true.txt': 'words' });
  const { code, report } = await work.json(['thumbnail', 'picture', 'notes.txt', 'true.txt', '--out', 'o']);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['notes.txt done', 'picture done', 'true.txt E_UNSUPPORTED']);
  expect(await work.files('o')).toEqual(['notes.jpg', 'picture.png']);
});

it('follows links once, and loops of them end', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'elsewhere/y.png': PNG });
  await symlink('.', work.at('d/loop'));
  await symlink('../elsewhere', work.at('d/link'));
  const { report } = await work.json(['thumbnail', 'd']);
  expect(told(report)).toEqual(['d/link/y.png done', 'd/x.png done']);
});

it('tells of a missing input once, though names are gathered before work begins', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  const { code, report } = await work.json(['thumbnail', 'x.png', 'gone.png', '--format', 'webp']);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['gone.png E_NOT_FOUND', 'x.png done']);
  expect(report.outcomes.find(({ status }) => status === 'failed')?.error).toMatchObject({
    stage: 'find',
    file: 'gone.png',
  });
});

it('leaves its own results alone when the current folder is the input', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG, 'in/y.png': PNG });
  for (const flags of [[], ['--no-manifest']]) {
    await work.run(['thumbnail', '.', ...flags]);
    const { report } = await work.json(['grayscale', '.', '--if-exists', 'overwrite', ...flags]);
    expect(told(report)).toEqual(['in/y.png done', 'x.png done']);
  }
});

it('never takes up an output folder inside the input directory, on the first run or the second', async () => {
  const work = await workplace();
  await work.put(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d/n${i}/x.png`, PNG])));
  const first = await work.json(['thumbnail', 'd', '--out', 'd/z-small']);
  const second = await work.json(['thumbnail', 'd', '--out', 'd/z-small']);
  const third = await work.json(['grayscale', 'd', '--out', 'd/a-gray', '--no-manifest']);
  const fourth = await work.json([
    'grayscale',
    'd',
    '--out',
    'd/a-gray',
    '--no-manifest',
    '--if-exists',
    'skip',
  ]);
  expect(first.report.summary).toMatchObject({ total: 30, done: 30 });
  expect(second.report.summary).toMatchObject({ total: 30, skipped: 30 });
  expect(third.report.summary).toMatchObject({ total: 30, done: 30 });
  expect(fourth.report.summary).toMatchObject({ total: 30, skipped: 30 });
});

it('passes over what an earlier run wrote beside the originals', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/y.png': PNG });
  const args = ['thumbnail', 'd', '--out', 'd', '--name', '{name}-small.{ext}'];
  await work.run(args);
  const { report } = await work.json(args);
  expect(report.summary).toMatchObject({ total: 2, skipped: 2 });
  expect(await work.files('d')).toEqual(['x-small.png', 'x.png', 'y-small.png', 'y.png']);
});

it('reads a folder that was moved, and names the folders that it cannot find', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await mkdir(work.at('away'));
  await rename(work.at('d'), work.at('away/d'));
  await writeFile(work.at('file'), 'x');
  const { code, report } = await work.json(['thumbnail', 'd', 'file/x.png']);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['d E_NOT_FOUND', 'file/x.png E_NOT_FOUND']);
});
