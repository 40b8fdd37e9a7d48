import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const PHOTO = photos().find((path) => path.endsWith('rocket.jpg')) ?? '';

test('steps run in the order in which they are written', async () => {
  const folder = await tempDir();
  const args = ['--op', 'resize:width=300', '--op', 'grayscale', '--op', 'rotate:angle=-90'];
  const { exitCode } = await imgtool(['run', PHOTO, ...args, '-o', 'out'], { cwd: folder });
  expect(exitCode).toBe(0);
  expect(await sharp(join(folder, 'out/rocket.jpg')).metadata()).toMatchObject({
    width: 200,
    height: 300,
    channels: 1,
  });
});

test.each([
  ['recipe.yaml', 'steps:\n  - op: resize\n    width: 300\noutputs:\n  - format: webp\n    quality: 40\n'],
  ['recipe.json', '{"steps":[{"op":"resize","width":300}],"outputs":[{"format":"webp","quality":40}]}'],
])('%s gives steps and outputs, and a flag wins over it', async (name, text) => {
  const folder = await tempDir();
  await writeFile(join(folder, name), text);
  const run = await imgtool(['run', PHOTO, '--recipe', name, '--json'], { cwd: folder });
  const { outcomes, recipe } = JSON.parse(String(run.stdout));
  expect(outcomes[0].outputs[0]).toMatchObject({
    path: 'imgtool-out/recipe/rocket.webp',
    format: 'webp',
    width: 300,
  });
  expect(recipe.outputs[0].quality).toBe(40);
  const wins = await imgtool(['run', PHOTO, '--recipe', name, '-f', 'png', '--json', '-n'], { cwd: folder });
  expect(JSON.parse(String(wins.stdout)).plan[0].target).toBe('imgtool-out/recipe/rocket.png');
});

test('a backslash takes the next character of a step as it is', async () => {
  const folder = await tempDir();
  for (const step of ['resize:width=20\\0,fit=cov\\er,height=9', 'res\\ize:width=200,height=9,fit=cover']) {
    const { stdout } = await imgtool(['run', PHOTO, '--op', step, '--json', '-n'], { cwd: folder });
    expect(JSON.parse(String(stdout)).recipe.steps[0]).toMatchObject({ width: 200, height: 9, fit: 'cover' });
  }
  const { stderr, exitCode } = await imgtool(['run', PHOTO, '--op', 'resize:width\\=3=4'], { cwd: folder });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('width=3: expected one of width, height');
});

test('a format alone converts, and a switch needs no value', async () => {
  const folder = await tempDir();
  const { stdout } = await imgtool(['run', PHOTO, '--format', 'png', '--json'], { cwd: folder });
  expect(JSON.parse(String(stdout)).outcomes[0].outputs[0]).toMatchObject({ format: 'png', width: 640 });
  const flipped = await imgtool(['run', PHOTO, '--op', 'rotate:flip', '--json', '-n'], { cwd: folder });
  expect(JSON.parse(String(flipped.stdout)).recipe.steps[0]).toMatchObject({ op: 'rotate', flip: true });
});

test('--op and --recipe exclude each other', async () => {
  const { exitCode, stderr } = await imgtool(['run', PHOTO, '--op', 'grayscale', '--recipe', 'x.yaml']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('received --op and --recipe');
});
