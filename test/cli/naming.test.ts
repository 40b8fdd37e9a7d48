import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { picture, SVG, told, workplace } from '../support/workplace.js';

const PNG = await picture('png', 30, 20);
const WIDE = await picture('png', 60, 20);
const JPEG = await picture('jpeg');

it.each([
  ['{dir}/{name}.{ext}', ['in/x.png', 'in/y.png']],
  ['{name}-{index}.{ext}', ['x-1.png', 'y-2.png']],
  ['{op}/{name}.{ext}', ['thumb-10/x.png', 'thumb-10/y.png']],
  ['{width}x{height}/{name}.{ext}', ['10x3/y.png', '10x7/x.png']],
  ['flat-{name}.{ext}', ['flat-x.png', 'flat-y.png']],
])('fills the tokens of %s', async (template, names) => {
  const work = await workplace();
  await work.put({ 'd/in/x.png': PNG, 'd/in/y.png': WIDE });
  const { code } = await work.run(['thumbnail', 'd', '--size', '10', '--name', template, '--out', 'o']);
  expect(code).toBe(0);
  expect(await work.files('o')).toEqual(names);
});

it('names by the hash of the original bytes', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  await work.run(['thumbnail', 'x.png', '--name', '{hash}.{ext}', '--out', 'o']);
  const hash = createHash('sha256').update(PNG).digest('hex').slice(0, 16);
  expect(await work.files('o')).toEqual([`${hash}.png`]);
});

it.each(['{what}.{ext}', '{name', '{dir}/', '../{name}.{ext}'])(
  'refuses the template %s',
  async (template) => {
    const work = await workplace();
    await work.put({ 'x.png': PNG });
    const { code, err } = await work.run(['thumbnail', 'x.png', '--name', template]);
    expect(code).toBe(2);
    expect(err).toContain('E_USAGE');
    expect(await work.files()).toEqual(['x.png']);
  },
);

it('fails only the picture whose header a name needs and has not', async () => {
  const work = await workplace();
  await work.put({ 'd/bad.png': 'words', 'd/x.png': PNG });
  const { code, report } = await work.json([
    'thumbnail',
    'd',
    '--name',
    '{name}-{width}.{ext}',
    '--out',
    'o',
  ]);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['d/bad.png E_UNSUPPORTED', 'd/x.png done']);
  expect(report.outcomes.find(({ status }) => status === 'failed')?.error).toMatchObject({
    file: 'd/bad.png',
  });
});

it('lets the extension tell the bytes, in the case that the original has', async () => {
  const work = await workplace();
  await work.put({ 'd/A.JPG': JPEG, 'd/b.jpeg': JPEG, 'd/c.png': JPEG, 'd/d.svg': SVG });
  await work.run(['thumbnail', 'd', '--out', 'o']);
  expect(await work.files('o')).toEqual(['A.JPG', 'b.jpeg', 'c.jpg', 'd.png']);
  for (const name of ['A.JPG', 'b.jpeg', 'c.jpg'])
    expect((await sharp(work.at(`o/${name}`)).metadata()).format).toBe('jpeg');
});

it('gives every result the extension of the format asked for', async () => {
  const work = await workplace();
  await work.put({ 'd/a.JPG': JPEG, 'd/b.png': PNG, 'd/c.d.png': PNG });
  await work.run(['thumbnail', 'd', '--format', 'webp', '--out', 'o']);
  expect(await work.files('o')).toEqual(['a.webp', 'b.webp', 'c.d.webp']);
});

it('names the default output folder after the recipe', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  await work.run(['resize', 'x.png', '--thumb', '10']);
  await work.run(['rotate', 'x.png', '--angle', '90']);
  await work.run(['grayscale', 'x.png']);
  expect(await work.files('imgtool-out')).toEqual(['grayscale/x.png', 'rotate-90/x.png', 'thumb-10/x.png']);
});

it('takes --out with the extension of a format as the result itself, for one file or standard input', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  const file = await work.run(['thumbnail', 'x.png', '-o', 'new/t.webp']);
  const piped = await work.run(['thumbnail', '-', '-o', 'p.jpg'], { input: PNG });
  const odd = await work.run(['thumbnail', 'x.png', '-o', 'a {name}.png']);
  expect([file.code, piped.code, odd.code]).toEqual([0, 0, 0]);
  expect(file.err).toContain('new/t.webp');
  expect(await work.files()).toEqual(['a {name}.png', 'new/t.webp', 'p.jpg', 'x.png']);
  expect((await sharp(work.at('new/t.webp')).metadata()).format).toBe('webp');
  expect((await sharp(work.at('p.jpg')).metadata()).format).toBe('jpeg');
});

it('never replaces a file with one named by --out, unless told to, nor the input in any case', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG, 't.webp': 'mine' });
  const foreign = await work.json(['thumbnail', 'x.png', '-o', 't.webp']);
  expect(told(foreign.report)).toEqual(['x.png E_EXISTS']);
  const wanted = await work.run(['thumbnail', 'x.png', '-o', 't.webp', '--if-exists', 'overwrite']);
  expect(wanted.code).toBe(0);
  const own = await work.run(['thumbnail', 'x.png', '-o', 'x.png', '--if-exists', 'overwrite']);
  expect(own.code).toBe(2);
  expect(own.err).toContain('E_OVERWRITES_INPUT');
});

it('takes the same name as a folder for a directory, several inputs, and a trailing slash', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/y.png': PNG });
  await work.run(['thumbnail', 'd', '-o', 'a.webp']);
  await work.run(['thumbnail', 'd/x.png', 'd/y.png', '-o', 'b.webp']);
  await work.run(['thumbnail', 'd/x.png', '-o', 'c.webp/']);
  expect(await work.files('a.webp')).toEqual(['x.png', 'y.png']);
  expect(await work.files('b.webp')).toEqual(['x.png', 'y.png']);
  expect(await work.files('c.webp')).toEqual(['x.png']);
});

it('refuses an --out whose extension tells another format than --format', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  expect((await work.run(['thumbnail', 'x.png', '-o', 't.webp', '--format', 'png'])).code).toBe(2);
  expect((await work.run(['thumbnail', 'x.png', '-o', 't.jpg', '--format', 'jpeg'])).code).toBe(0);
  expect(await work.files()).toEqual(['t.jpg', 'x.png']);
});
