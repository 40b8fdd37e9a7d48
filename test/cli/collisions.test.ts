import { mkdir, readFile, symlink } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { picture, SVG, workplace } from '../support/workplace.js';

const PNG = await picture('png', 30, 20, 'teal');
const RED = await picture('png', 30, 20, 'red');
const JPEG = await picture('jpeg');

it('refuses two inputs that one flat name would put into one file, naming both and writing nothing', async () => {
  const work = await workplace();
  await work.put({ 'd/a/x.png': PNG, 'd/b/x.png': RED, 'd/b/y.png': RED });
  const args = ['thumbnail', 'd', '--name', '{name}.{ext}', '--out', 'o'];
  const { code, err } = await work.run(args);
  expect(code).toBe(2);
  expect(err).toContain('E_COLLISION');
  expect(err).toContain('d/a/x.png');
  expect(err).toContain('d/b/x.png');
  expect(await work.files('o')).toEqual([]);
});

it('tells the same inputs apart by number when asked to', async () => {
  const work = await workplace();
  await work.put({ 'd/a/x.png': PNG, 'd/b/x.png': RED, 'd/b/x-2.png': RED });
  const args = ['thumbnail', 'd', '--name', '{name}.{ext}', '--on-collision', 'number', '--out', 'o'];
  expect((await work.run(args)).code).toBe(0);
  expect(await work.files('o')).toEqual(['x-2.png', 'x-3.png', 'x.png']);
});

it.each([
  ['one folder', ['d'], ['--format', 'webp'], { 'd/x.png': PNG, 'd/x.jpg': JPEG }],
  ['two files', ['d/x.png', 'e/x.png'], [], { 'd/x.png': PNG, 'e/x.png': RED }],
  ['a vector beside its picture', ['d'], [], { 'd/a.png': PNG, 'd/x.png': PNG, 'd/x.svg': SVG }],
  ['two folders of one name', ['d/in', 'e/in'], [], { 'd/in/x.png': PNG, 'e/in/x.png': RED }],
  ['a list of files elsewhere', ['--files-from', 'list'], [], {}],
])('refuses %s with one output, before anything is written', async (_, inputs, flags, files) => {
  const work = await workplace();
  const other = await workplace();
  await work.put(files);
  await other.put({ 'a/x.png': PNG, 'b/x.png': RED });
  await work.put({ list: `${other.at('a/x.png')}\n${other.at('b/x.png')}\n` });
  const { code, report } = await work.json(['thumbnail', ...inputs, ...flags, '--out', 'o']);
  expect(code).toBe(2);
  expect(report.error).toMatchObject({ code: 'E_COLLISION', stage: 'plan' });
  expect(await work.files('o')).toEqual([]);
});

it('numbers them too', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/x.svg': SVG, 'd/x.jpg': JPEG });
  await work.run(['thumbnail', 'd', '--on-collision', 'number', '--out', 'keep']);
  await work.run(['thumbnail', 'd', '--on-collision', 'number', '--format', 'webp', '--out', 'webp']);
  expect(await work.files('keep')).toEqual(['x-2.png', 'x.jpg', 'x.png']);
  expect(await work.files('webp')).toEqual(['x-2.webp', 'x-3.webp', 'x.webp']);
});

it('refuses a JPEG named .png whose true name belongs to another input', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': JPEG, 'd/x.jpg': JPEG });
  const { code, report } = await work.json(['thumbnail', 'd']);
  expect(code).toBe(2);
  expect(report.error).toMatchObject({ code: 'E_COLLISION', file: 'd/x.png' });
  const plan = await work.json(['thumbnail', 'd', '--dry-run']);
  expect(plan.report.error).toMatchObject({ code: 'E_COLLISION', file: 'd/x.png' });
});

it('does not mind a file of that name that is no input', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': JPEG, 'd/x.jpg': JPEG });
  const named = await work.run(['thumbnail', 'd/x.png', '--out', 'o']);
  const matched = await work.run(['thumbnail', 'd/*.png', '--out', 'p']);
  expect([named.code, matched.code]).toEqual([0, 0]);
  expect([await work.files('o'), await work.files('p')]).toEqual([['x.jpg'], ['x.jpg']]);
});

it('gives a misnamed picture a number where numbers are wanted', async () => {
  const work = await workplace();
  await work.put({ 'd/x.jpg': JPEG, 'd/x.png': JPEG });
  const { code } = await work.run(['thumbnail', 'd', '--on-collision', 'number', '--out', 'o']);
  expect(code).toBe(0);
  expect(await work.files('o')).toEqual(['x-2.jpg', 'x.jpg']);
});

/** Ways in which an output would be an input. */
const OVER_INPUT: readonly (readonly [string, readonly string[]])[] = [
  ['a directory into itself', ['d', '--out', 'd']],
  ['a glob into its folder', ['d/*.png', '--out', 'd']],
  ['a file into its folder', ['d/x.png', '--out', 'd']],
  ['through a linked folder', ['d', '--out', 'link']],
  ['a linked folder into the real one', ['link', '--out', 'd']],
  ['a folder above, by the tree', ['d/in', '--out', 'd', '--name', 'in/{name}.{ext}']],
  ['another input, by its name', ['d', '--out', 'd', '--name', '{index}.{ext}']],
  ['another input of a glob, by its name', ['d/*.png', '--out', 'd', '--name', '{index}.{ext}']],
  [
    'another input, by its number',
    ['d/*.png', '--out', 'd', '--name', '1.{ext}', '--on-collision', 'number'],
  ],
];

it.each(OVER_INPUT)('refuses an output that is an input: %s', async (_, args) => {
  const work = await workplace();
  const files = { 'd/x.png': PNG, 'd/1.png': PNG, 'd/2.png': RED, 'd/in/y.png': RED };
  await work.put(files);
  await symlink('d', work.at('link'));
  for (const force of [[], ['--if-exists', 'overwrite'], ['--if-exists', 'overwrite', '--no-manifest']]) {
    const { code, err } = await work.run(['thumbnail', ...args, ...force]);
    expect([code, err]).toEqual([2, expect.stringContaining('E_OVERWRITES_INPUT')]);
  }
  for (const [name, bytes] of Object.entries(files)) expect(await readFile(work.at(name))).toEqual(bytes);
});

it('refuses to make a result from itself, though an earlier run wrote it', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await work.run(['thumbnail', 'd', '--out', 'o']);
  const before = await readFile(work.at('o/x.png'));
  const { code } = await work.run(['thumbnail', 'o/x.png', '--out', 'o', '--size', '5']);
  expect(code).toBe(2);
  expect(await readFile(work.at('o/x.png'))).toEqual(before);
});

it('writes through a folder that is a link to elsewhere', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await mkdir(work.at('real'));
  await symlink('real', work.at('o'));
  expect((await work.run(['thumbnail', 'd', '--out', 'o'])).code).toBe(0);
  expect(await work.files('real')).toEqual(['x.png']);
});
