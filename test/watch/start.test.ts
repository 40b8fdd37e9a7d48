import { mkdir, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { workplace } from '../support/workplace.js';
import { picture, watching } from './watcher.js';

it('makes thumbnails of 100 px of what is there and of what arrives, and keeps going', async () => {
  const place = await workplace();
  await place.put({ 'inbox/there.png': await picture(1, 300) });
  const watch = watching(place, ['./inbox']);
  await watch.caughtUp();
  await place.put({ 'inbox/later.png': await picture(2, 300) });
  await watch.outcomes(2);
  expect(await watch.stop()).toBe(0);
  expect(await place.files('imgtool-out/thumb-100')).toEqual(['later.png', 'there.png']);
  expect(watch.rows[0]).toMatchObject({
    type: 'watching',
    folders: [place.at('inbox')],
    out: place.at('imgtool-out/thumb-100'),
  });
  expect(watch.rows.at(-1)).toMatchObject({ type: 'summary', done: 2, failed: 0 });
});

it('prints both absolute paths, a line for each picture and a summary', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1, 300) });
  const { code, err, out } = await place.run(['watch', './inbox', '--once']);
  expect(code).toBe(0);
  expect(out).toBe('');
  const lines = err.split('\n').map((line) => line.trim());
  expect(lines[0]).toMatch(/^watching +\//);
  expect(lines[0]?.endsWith(place.at('inbox'))).toBe(true);
  expect(lines[1]?.endsWith(place.at('imgtool-out/thumb-100'))).toBe(true);
  expect(lines[2]).toMatch(/^done inbox\/a\.png → imgtool-out\/thumb-100\/a\.png 100x10 /);
  expect(lines[3]).toMatch(/^1 done · /);
});

it('names the mkdir line for a folder that is missing, quoted for the shell', async () => {
  const place = await workplace();
  const plain = await place.run(['watch', './inbox']);
  expect(plain.code).toBe(1);
  expect(plain.err).toMatch(/E_NOT_FOUND: \.\/inbox: .*make it with: mkdir -p \.\/inbox\n/);
  const spaced = await place.run(['watch', 'my inbox']);
  expect(spaced.err).toContain("mkdir -p 'my inbox'\n");
});

it.each([
  ['nothing', [], 'expected folders to watch, received none'],
  ['a file', ['inbox/a.png'], 'received the file inbox/a.png'],
  ['folders in one another', ['inbox', 'inbox/sub'], 'do not lie in one another'],
  ['two folders of one name', ['inbox', 'other/inbox'], 'of different names'],
  ['its own folder for results', ['inbox', '--out', 'inbox'], 'another folder than the one that is watched'],
  ['its own folder for what is done', ['inbox', '--done', 'inbox'], '--done: expected another folder'],
  ['standard output', ['inbox', '--out', '-'], 'expected a folder, received -'],
  ['names by number', ['inbox', '--name', '{index}.{ext}'], 'names that stay the same'],
  ['two recipes', ['inbox', '--op', 'grayscale', '--preset', 'web'], 'one of --op, --recipe and --preset'],
  ['a mirror of moved originals', ['inbox', '--mirror', '--done', 'd'], 'received both'],
])('refuses %s', async (_, args, message) => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture() });
  await mkdir(place.at('inbox/sub'));
  await mkdir(place.at('other/inbox'), { recursive: true });
  const { code, err } = await place.run(['watch', ...args]);
  expect(err).toContain(message);
  expect(code).toBe(2);
});

it('runs any operations, recipe file or preset', async () => {
  const place = await workplace();
  await place.put({
    'inbox/a.png': await picture(1, 300),
    'small.yaml': 'steps: [{op: resize, width: 20}]\noutputs: [{format: webp}]\n',
  });
  const run = (...args: string[]) => place.run(['watch', 'inbox', '--once', ...args]);
  expect((await run('--op', 'resize:width=50', '--op', 'grayscale')).code).toBe(0);
  expect((await run('--recipe', 'small.yaml')).code).toBe(0);
  expect((await run('--preset', 'email')).code).toBe(0);
  expect((await run('--format', 'webp')).code).toBe(0);
  expect(await place.files('imgtool-out')).toEqual([
    'convert/a.webp',
    'email/a.jpg',
    'resize-50_grayscale/a.png',
    'small/a.webp',
  ]);
});

it('ends a single run with the exit codes of a batch', async () => {
  const place = await workplace();
  await mkdir(place.at('inbox'));
  const once = (...args: string[]) => place.run(['watch', 'inbox', '--once', '--retry-delay', '1', ...args]);
  expect((await once()).code).toBe(3);
  expect((await once('--allow-empty')).code).toBe(0);
  await writeFile(place.at('inbox/a.png'), await picture());
  expect((await once()).code).toBe(0);
  const again = await once('--verbose');
  expect(again.code).toBe(0);
  expect(again.err).toContain('skipped inbox/a.png: unchanged');
  await writeFile(place.at('inbox/bad.png'), 'no picture');
  expect((await once()).code).toBe(1);
});

it('refuses a second picture that would write the same result, and goes on', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1), 'inbox/a.jpg': await picture(2, 40, 'jpeg') });
  const { code, err } = await place.run(['watch', 'inbox', '--once', '--format', 'webp']);
  expect(code).toBe(2);
  expect(err).toContain('E_COLLISION');
  expect(await place.files('imgtool-out')).toEqual(['convert/a.webp']);
  const numbered = ['watch', 'inbox', '--once', '--format', 'webp', '--on-collision', 'number', '-o', 'n'];
  expect((await place.run(numbered)).code).toBe(0);
  expect((await place.run([...numbered, '--verbose'])).err).toContain('0 done, 2 skipped');
  expect(await place.files('n')).toEqual(['a-2.webp', 'a.webp']);
});
