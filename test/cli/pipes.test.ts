import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { picture, type Workplace, workplace } from '../support/workplace.js';

const PNG = await picture('png', 300, 200);

/** Runs a shell line in which `imgtool` is the built command. */
function shell(work: Workplace, line: string) {
  const script = `imgtool() { "$NODE" "$CLI" "$@"; }; ${line}`;
  const env = { ...userEnvironment(), NODE: process.execPath, CLI };
  return execa('bash', ['-c', script], { cwd: work.path, env, reject: false, timeout: 50_000 });
}

it('reads a picture from a pipe and writes one to the next', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  const line =
    'cat x.png | imgtool thumbnail - -o - | imgtool rotate - --angle 90 -o - --format jpeg | cat > y.jpg';
  const { exitCode, stderr } = await shell(work, line);
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  const { format, width, height } = await sharp(await readFile(work.at('y.jpg'))).metadata();
  expect([format, width, height]).toEqual(['jpeg', 67, 100]);
});

it('puts nothing but the picture on standard output', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  await shell(work, 'imgtool thumbnail x.png -o - > y.png');
  expect((await sharp(await readFile(work.at('y.png'))).metadata()).width).toBe(100);
  expect(await work.files()).toEqual(['x.png', 'y.png']);
});

it.each([
  ['two files', 'x.png y.png'],
  ['a folder of several', '.'],
  ['a pattern', "'*.png'"],
])('refuses %s for one standard output, before the first is written', async (_, inputs) => {
  const work = await workplace();
  await work.put({ 'x.png': PNG, 'y.png': PNG });
  const { exitCode, stdout, stderr } = await shell(work, `imgtool thumbnail ${inputs} -o -`);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain('E_USAGE');
});

it('refuses JSON and a picture on one standard output', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  for (const flag of ['--json', '--ndjson'])
    expect((await work.run(['thumbnail', 'x.png', '-o', '-', flag])).code).toBe(2);
});

it('says that an empty pipe holds no picture', async () => {
  const work = await workplace();
  const { exitCode, stdout, stderr } = await shell(work, 'imgtool thumbnail - -o - < /dev/null');
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).toContain('failed -: decode, E_EMPTY');
});

it.each([
  ['a run', 'imgtool thumbnail d --ndjson --out o'],
  ['a document', 'imgtool thumbnail d --json --out o'],
  ['a plan', 'imgtool thumbnail d --dry-run'],
  ['facts', 'imgtool size d --csv'],
  ['a picture', 'imgtool thumbnail d/1.png -o -'],
  ['help', 'imgtool thumbnail --help'],
])('ends quietly when its reader leaves: %s', async (_, line) => {
  const work = await workplace();
  await work.put(Object.fromEntries(Array.from({ length: 300 }, (__, i) => [`d/${i}.png`, PNG])));
  const { stdout, stderr } = await shell(work, `(${line}; echo "code $?" >&2) | head -c 1`);
  expect(stdout).toHaveLength(1);
  expect(stderr).toMatch(/code 0/);
  expect(stderr).not.toMatch(/EPIPE|rror|\n\s+at /);
  expect((await work.files('o')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
