import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { OPERATIONS } from '../../src/operations/index.js';
import { CLI, imgtool, userEnvironment } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

const OWN = [...OPERATIONS.map(({ name }) => name), 'run', 'size', 'formats', 'completion'];

test('root help fits a terminal of 24 lines of 80 columns and names every command once', async () => {
  const { stdout, exitCode } = await imgtool(['--help']);
  const lines = String(stdout).trimEnd().split('\n');
  expect(exitCode).toBe(0);
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => /^ {2}resize /.test(line))).toHaveLength(1);
  for (const name of OWN) expect(stdout).toMatch(new RegExp(`(^  |More:.* |^)${name}( |$)`, 'm'));
  expect(stdout).not.toContain('info');
});

test('no argument, help and -h give the same root help', async () => {
  const [first, ...others] = await Promise.all(
    [['--help'], [], ['help'], ['-h']].map((args) => imgtool(args)),
  );
  for (const other of others) expect(other).toMatchObject({ stdout: first?.stdout, exitCode: 0 });
});

test.each(OWN)('help of %s', async (name) => {
  const { stdout, exitCode, stderr } = await imgtool([name, '--help']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatchSnapshot();
  const tooLong = String(stdout)
    .split('\n')
    .filter((line) => line.length > 80 && !line.startsWith('  imgtool '));
  expect(tooLong).toEqual([]);
});

test('help is found from either side, and an alias leads to its command', async () => {
  const [after, before, alias] = await Promise.all([
    imgtool(['size', '--help']),
    imgtool(['help', 'size']),
    imgtool(['info', '-h']),
  ]);
  expect(before.stdout).toBe(after.stdout);
  expect(alias.stdout).toBe(after.stdout);
});

test.each(['jobs', 'config'])(
  'help of the group %s begins with how its commands are written',
  async (name) => {
    const lines = String((await imgtool([name, '--help'])).stdout)
      .trimEnd()
      .split('\n');
    expect(lines.slice(0, 2)).toEqual([`Usage: imgtool ${name} COMMAND [flags]`, '']);
    for (const line of lines.slice(2)) expect(line.startsWith(`  imgtool ${name} `)).toBe(true);
  },
);

test('help of serve says what is on by default and how to turn it off', async () => {
  const { stdout } = await imgtool(['serve', '--help']);
  for (const flag of ['jobs', 'reflection'])
    expect(stdout).toMatch(new RegExp(`^ +--\\[no-\\]${flag} `, 'm'));
  expect(stdout).toContain('\nAPIs of other services\n');
});

test('a reader that leaves early ends help quietly', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', `set -o pipefail; '${process.execPath}' '${CLI}' resize --help | head -1`],
    { env: { ...process.env, ...userEnvironment() } },
  );
  expect({ stdout, stderr }).toEqual({ stdout: 'Resize to a width, a height or both\n', stderr: '' });
});

test.each(OWN)('the examples that the help of %s shows run', async (name) => {
  const folder = await exampleFolder();
  const { stdout } = await imgtool([name, '--help']);
  const examples = String(stdout).match(/^ {2}imgtool .*/gm) ?? [];
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    const { exitCode, stderr } = await shell(example, folder);
    expect({ example, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
      example,
      exitCode: 0,
      stderr: '',
    });
  }
});

test.each([['resize'], ['rotate']])('%s without what it needs gives an example that runs', async (name) => {
  const folder = await exampleFolder();
  await mkdir(join(folder, 'my pictures'));
  await cp(fixture('png/interlaced.png'), join(folder, 'my pictures/one.png'));
  for (const inputs of ['', ' ./images', " 'my pictures'"]) {
    const failed = await shell(`imgtool ${name}${inputs}`, folder);
    expect(failed.exitCode).toBe(2);
    const example = /for example: (imgtool .*)/.exec(failed.stderr)?.[1] ?? '';
    expect(example).toContain(inputs === '' ? './images' : inputs.trim());
    const { exitCode, stderr } = await shell(example, folder);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
});

/** A folder in which examples run: pictures, a recipe, and an `imgtool` to be found by name. */
async function exampleFolder(): Promise<string> {
  const folder = await tempDir();
  const [photo = ''] = photos().filter((path) => path.endsWith('rocket.jpg'));
  await mkdir(join(folder, 'images'));
  await mkdir(join(folder, 'bin'));
  await cp(photo, join(folder, 'images/rocket.jpg'));
  await cp(photo, join(folder, 'photo.jpg'));
  await cp(fixture('png/interlaced.png'), join(folder, 'images/drawing.png'));
  await writeFile(join(folder, 'recipe.yaml'), 'steps:\n  - op: resize\n    width: 200\n  - op: grayscale\n');
  await symlink(CLI, join(folder, 'bin/imgtool'));
  return folder;
}

async function shell(line: string, folder: string): Promise<{ exitCode: number; stderr: string }> {
  const env = { ...process.env, ...userEnvironment(), PATH: `${folder}/bin:${process.env.PATH}` };
  return promisify(execFile)('bash', ['-c', line], { cwd: folder, env: defined(env), maxBuffer: 1e8 }).then(
    ({ stderr }) => ({ exitCode: 0, stderr }),
    (error: { code: number; stderr: string }) => ({ exitCode: error.code, stderr: error.stderr }),
  );
}

function defined(env: Record<string, string | undefined>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
