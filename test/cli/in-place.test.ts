import { chmod, lstat, readFile, readlink, stat, symlink, utimes } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { picture, told, workplace } from '../support/workplace.js';

const PNG = await picture('png', 30, 20);
const JPEG = await picture('jpeg', 30, 20);

async function sides(path: string): Promise<string> {
  const { width, height } = await sharp(await readFile(path)).metadata();
  return `${width}x${height}`;
}

it('replaces originals where they stand and writes nothing else', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/in/y.jpg': JPEG });
  const { code, err } = await work.run(['rotate', 'd', '--angle', '90', '--in-place']);
  expect(code).toBe(0);
  expect(err).toContain('originals replaced');
  expect(await work.files()).toEqual(['d/in/y.jpg', 'd/x.png']);
  expect([await sides(work.at('d/x.png')), await sides(work.at('d/in/y.jpg'))]).toEqual(['20x30', '20x30']);
});

it('keeps the permissions, and the times when asked', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  await chmod(work.at('x.png'), 0o640);
  await utimes(work.at('x.png'), 1e9, 1.1e9);
  await work.run(['rotate', 'x.png', '--angle', '90', '--in-place', '--keep-times']);
  const { mode, mtimeMs } = await stat(work.at('x.png'));
  expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1.1e12]);
});

it('replaces what a link leads to and keeps the link', async () => {
  const work = await workplace();
  await work.put({ 'real/x.png': PNG });
  await symlink('real/x.png', work.at('link.png'));
  await work.run(['rotate', 'link.png', '--angle', '90', '--in-place']);
  expect((await lstat(work.at('link.png'))).isSymbolicLink()).toBe(true);
  expect(await readlink(work.at('link.png'))).toBe('real/x.png');
  expect(await sides(work.at('real/x.png'))).toBe('20x30');
});

it('turns a file once that is reached by two names', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  await symlink('x.png', work.at('d/link.png'));
  const { report } = await work.json(['rotate', 'd', 'd/x.png', '--angle', '90', '--in-place']);
  expect(report.summary).toMatchObject({ total: 1, done: 1 });
  expect(await sides(work.at('d/x.png'))).toBe('20x30');
});

it('refuses a picture whose extension does not tell its bytes, and leaves it as it is', async () => {
  const work = await workplace();
  await work.put({ 'x.png': JPEG, 'y.png': PNG });
  const { code, report } = await work.json(['rotate', 'x.png', 'y.png', '--angle', '90', '--in-place']);
  expect(code).toBe(1);
  expect(told(report)).toEqual(['x.png E_UNSUPPORTED', 'y.png done']);
  expect(await readFile(work.at('x.png'))).toEqual(JPEG);
});

it.each([
  ['another format', ['--format', 'webp']],
  ['another folder', ['--out', 'o']],
  ['another name', ['--name', '{name}-2.{ext}']],
])('refuses %s', async (_, flags) => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  const { code } = await work.run(['rotate', 'x.png', '--angle', '90', '--in-place', ...flags]);
  expect(code).toBe(2);
  expect(await readFile(work.at('x.png'))).toEqual(PNG);
});

it('refuses standard input, which has no place', async () => {
  const work = await workplace();
  const { code } = await work.run(['rotate', '-', '--angle', '90', '--in-place'], { input: PNG });
  expect(code).toBe(2);
});

it('leaves a damaged original as it is', async () => {
  const work = await workplace();
  const damaged = JPEG.subarray(0, JPEG.length - 40);
  await work.put({ 'x.jpg': damaged });
  const { code } = await work.run(['rotate', 'x.jpg', '--angle', '90', '--in-place']);
  expect(code).toBe(1);
  expect(await readFile(work.at('x.jpg'))).toEqual(damaged);
  expect(await work.files()).toEqual(['x.jpg']);
});
