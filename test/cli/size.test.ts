import { cp, link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

test('size prints a table whose columns stand under their heads, whatever the script of the names', async () => {
  const folder = await pictures();
  const { stdout, stderr, exitCode } = await imgtool(['size', 'images'], { cwd: folder });
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: [
      'file                format     size  pages  channels  orientation   bytes',
      'images/drawing.png  png       96x64      1  3 srgb    1            9.9 kB',
      'images/rocket.jpg   jpeg    640x427      1  3 srgb    1            113 kB',
      'images/日本.jpg     jpeg    640x427      1  3 srgb    1            113 kB',
      '',
    ].join('\n'),
    stderr: '',
    exitCode: 0,
  });
});

test('info is another name for size', async () => {
  const folder = await pictures();
  const [size, info] = await Promise.all([
    imgtool(['size', 'images'], { cwd: folder }),
    imgtool(['info', 'images'], { cwd: folder }),
  ]);
  expect(info.stdout).toBe(size.stdout);
});

test('--csv prints a line for each picture, quoted where it must be', async () => {
  const folder = await pictures();
  await cp(fixture('png/interlaced.png'), join(folder, 'images/a "b", c.png'));
  const { stdout } = await imgtool(['size', 'images', '--csv'], { cwd: folder });
  const [head, first] = String(stdout).split('\n');
  expect(head).toBe('file,format,width,height,pages,channels,depth,space,alpha,orientation,density,bytes');
  expect(first).toMatch(/^"images\/a ""b"", c\.png",png,96,64,1,3,8,srgb,false,1,\d*,\d+$/);
});

test('what is no picture is told on standard error, the others are listed, and the exit code is 1', async () => {
  const folder = await pictures();
  await writeFile(join(folder, 'images/text.jpg'), 'no picture');
  await writeFile(join(folder, 'images/phone.heic'), 'x');
  const { stdout, stderr, exitCode } = await imgtool(['size', 'images'], { cwd: folder });
  expect(exitCode).toBe(1);
  expect(String(stdout).trimEnd().split('\n')).toHaveLength(4);
  expect(stderr).toMatch(
    /^ {2}failed images\/text\.jpg: \w+, E_UNSUPPORTED: .*\n {2}not read by this build: 1 HEIC\n$/,
  );
});

test('nothing to list exits 3, and 0 where that is allowed', async () => {
  const folder = await tempDir();
  const none = await imgtool(['size', '.'], { cwd: folder });
  expect(none).toMatchObject({ exitCode: 3, stdout: '' });
  expect(none.stderr).toContain('E_NOTHING_MATCHED');
  expect(await imgtool(['size', '.', '--allow-empty'], { cwd: folder })).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
});

test('size lists thousands of files in the order they were found', async () => {
  const folder = await tempDir();
  const names = Array.from({ length: 2000 }, (_, index) => `${String(index).padStart(5, '0')}.png`);
  await mkdir(join(folder, 'many'));
  await cp(fixture('png/interlaced.png'), join(folder, 'one.png'));
  await Promise.all(names.map((name) => link(join(folder, 'one.png'), join(folder, 'many', name))));
  const { stdout, exitCode } = await imgtool(['size', 'many', '--csv'], { cwd: folder });
  expect(exitCode).toBe(0);
  const listed = String(stdout).trimEnd().split('\n').slice(1);
  expect(listed.map((line) => line.slice(5, 14))).toEqual(names);
});

async function pictures(): Promise<string> {
  const folder = await tempDir();
  const photo = photos().find((path) => path.endsWith('rocket.jpg')) ?? '';
  await mkdir(join(folder, 'images'));
  await cp(photo, join(folder, 'images/rocket.jpg'));
  await cp(photo, join(folder, 'images/日本.jpg'));
  await cp(fixture('png/interlaced.png'), join(folder, 'images/drawing.png'));
  return folder;
}
