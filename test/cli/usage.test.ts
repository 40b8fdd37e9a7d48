import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const CASES: readonly (readonly [string[], string])[] = [
  [['resiz', 'x'], 'E_USAGE: expected a command, received resiz; did you mean resize?'],
  [['help', 'rotat'], 'E_USAGE: expected a command, received rotat; did you mean rotate?'],
  [['--fast'], 'E_USAGE: expected a command, received --fast'],
  [
    ['./images', '--thumb', '3'],
    'E_USAGE: expected a command, received ./images; for example: imgtool resize ./images --thumb 100',
  ],
  [
    ['resize', 'x', '--widht', '3'],
    'expected a flag of this command, received --widht; did you mean --width?',
  ],
  [['resize', 'x', '--no-recursve'], 'received --no-recursve; did you mean --no-recursive?'],
  [['resize', 'x', '--width'], 'E_USAGE: --width: expected a value, received nothing'],
  [['resize', 'x', '--width', 'abc'], 'E_RECIPE: --width: expected a number, received abc'],
  [['resize', 'x', '--width', '3', '--width', '4'], '--width: expected it once, received it several times'],
  [
    ['resize', 'x', '--quality', '200', '--width', '3'],
    'E_RECIPE: --quality: expected at most 100, received 200',
  ],
  [
    ['resize', 'x', '--fit', 'cove'],
    '--fit: expected one of inside, cover, contain, fill, outside, received cove; did you mean cover?',
  ],
  [['resize', 'x', '--thumb', 'abc'], 'E_RECIPE: --thumb: expected WxH such as 200x150, received abc'],
  [['resize', 'x', '--thumb', '3', '--width', '4'], 'expected --thumb alone, received --width too'],
  [
    ['resize', 'x', '-j', '0'],
    '--concurrency: expected a whole number greater than or equal to 1, received 0',
  ],
  [['mean', 'x', '--size', '4'], 'E_RECIPE: --size: expected an odd window'],
  [
    ['rotate', 'x'],
    'E_RECIPE: expected an angle in degrees (or flip, or flop), received none; for example: imgtool rotate x --angle 90',
  ],
  [['formats', 'a'], 'E_USAGE: expected no more arguments, received a'],
  [['completion'], 'E_USAGE: expected one of bash, zsh, powershell, received nothing'],
  [['completion', 'bas'], 'received bas; did you mean bash?'],
  [['jobs', 'wait', 'x', '--timeout', '1x'], 'E_USAGE: --timeout: expected a duration such as 500s, 30m'],
  [['client'], 'E_USAGE: expected --input and --output, received nothing'],
  [['client', '--input', 'x'], 'E_USAGE: expected --output, received nothing'],
  [['jobs', 'show'], 'E_USAGE: expected a job’s id, received nothing'],
  [['jobs', 'wait'], 'E_USAGE: expected ids of the jobs, received nothing'],
  [['run', 'x'], 'for example: imgtool run ./images --op resize:width=800'],
  [['run', 'x', '--op', 'resiz:width=3'], 'E_RECIPE: --op resiz:width=3: expected an operation'],
  [['run', 'x', '--op', 'resize:widht=3'], '--op resize:widht=3: widht: expected one of width, height'],
  [
    ['run', 'x', '--op', 'grayscale', '--op', 'resize:width=a'],
    '--op resize:width=a: width: expected a number, received a',
  ],
  [
    ['run', 'x', '--op', 'grayscale', '--op', 'resize'],
    'received neither; for example: --op resize:width=800',
  ],
];

test.each(CASES)('%j exits 2 and says what was expected, in words and in JSON', async (args, message) => {
  const { stderr, stdout, exitCode } = await imgtool([...args, ...(takesJson(args) ? ['--json'] : [])]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^imgtool: E_\w+: .*\nsee imgtool .*--help\n$/);
  if (!takesJson(args)) return;
  const { schema, error } = JSON.parse(String(stdout)) as {
    schema: string;
    error: { code: string; field?: string; message: string };
  };
  expect(schema).toBe('imgtool.report/1');
  const place = error.field === undefined ? '' : `${error.field}: `;
  expect(stderr).toContain(`${error.code}: ${place}${error.message}`);
});

/** Commands that have no `--json` refuse it in place of what they are to refuse here. */
function takesJson([first = '', ...rest]: readonly string[]): boolean {
  return !['completion', 'help', 'client', 'jobs'].includes(first) && !rest.includes('--ndjson');
}

test.each([
  [['resize', 'x', '-w', '100'], 'received -w\n'],
  [['thumbnail', 'x', '--fit', 'cover'], 'received --fit\n'],
  [['completion', 'fish'], 'received fish\n'],
])('%j is near nothing, so nothing is suggested', async (args, end) => {
  expect((await imgtool(args)).stderr).toContain(end);
});

test('a file whose name looks like a flag is told of with a way to name it', async () => {
  const folder = await tempDir();
  await writeFile(join(folder, '-x.jpg'), '');
  const { stderr, exitCode } = await imgtool(['thumbnail', '-x.jpg'], { cwd: folder });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('expected a flag of this command, received -x.jpg; did you mean ./-x.jpg?');
});

test('--verbose shows no stack of a usage error', async () => {
  const { stderr } = await imgtool(['resize', 'x', '--width', '10', '--quiet', '--verbose']);
  expect(stderr).toBe(
    'imgtool: E_USAGE: --verbose: expected either --verbose or --quiet, received both\nsee imgtool resize --help\n',
  );
});

test('without --json nothing is written to standard output', async () => {
  expect(await imgtool(['resize', 'x'])).toMatchObject({ exitCode: 2, stdout: '' });
});

test('--json and --ndjson exclude each other, and are told so in JSON', async () => {
  const { stdout, exitCode } = await imgtool(['resize', 'x', '--json', '--ndjson']);
  expect(exitCode).toBe(2);
  expect(JSON.parse(String(stdout)).error.message).toBe('expected either --ndjson or --json, received both');
});

test('an error in the file of a recipe is told with its line and the nearest key', async () => {
  const folder = await tempDir();
  const yaml = join(folder, 'web.yaml');
  await writeFile(yaml, 'steps:\n  - op: resize\n    widht: 800\noutputs:\n  - format: webp\n');
  const wrong = await imgtool(['run', 'x', '--recipe', yaml]);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain(`${yaml}:3:5: steps.0.widht: expected one of width, height`);
  expect(wrong.stderr).toContain('did you mean width?');
  await writeFile(yaml, '{\n"steps": [],\n"outputs": [{"format": "webp",\n "qualty": 3}]}');
  const deeper = await imgtool(['run', 'x', '--recipe', yaml]);
  expect(deeper.stderr).toContain(`${yaml}:4:2: outputs.0.qualty: `);
  expect(deeper.stderr).toContain('did you mean quality?');
  await writeFile(yaml, 'steps: [');
  expect((await imgtool(['run', 'x', '--recipe', yaml])).stderr).toMatch(/E_RECIPE: .*expected YAML or JSON/);
  expect((await imgtool(['run', 'x', '--recipe', join(folder, 'none.yaml')])).exitCode).toBe(2);
});

test.each([[['--angle', '-90']], [['--angle=-90']], [['--angle', '270']]])(
  'rotate takes %j',
  async (flags) => {
    const folder = await tempDir();
    const [photo = ''] = photos().filter((path) => path.endsWith('rocket.jpg'));
    const { stdout, exitCode } = await imgtool(['rotate', photo, ...flags, '--json'], { cwd: folder });
    expect(exitCode).toBe(0);
    const { outcomes } = JSON.parse(String(stdout)) as {
      outcomes: { outputs: { width: number; height: number }[] }[];
    };
    expect(outcomes[0]?.outputs[0]).toMatchObject({ width: 427, height: 640 });
  },
);
