import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { photos } from '../support/fixtures.js';
import { picture, type Workplace, workplace } from '../support/workplace.js';

const PNG = await picture('png');
const SMALL = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`d/${i}.png`, PNG]));

/** Starts a run that prints a line for each picture. */
function started(work: Workplace, args: readonly string[], concurrency = 1) {
  return execa(
    process.execPath,
    [CLI, ...args, '--ndjson', '--concurrency', `${concurrency}`, '--out', 'o'],
    {
      cwd: work.path,
      env: userEnvironment(),
      reject: false,
      buffer: { stdout: true, stderr: true },
      timeout: 50_000,
    },
  );
}

/** Resolves with the first line that a stream gives. */
async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stream });
  const [line] = (await once(lines, 'line')) as [string];
  return line;
}

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'drains on %s: what runs is finished, the summary told, the rest left alone',
  async (signal, code) => {
    const work = await workplace();
    await work.put(SMALL);
    const child = started(work, ['thumbnail', 'd']);
    await firstLine(child.stdout);
    child.kill(signal);
    const { exitCode, stdout, stderr } = await child;
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const summary = rows.at(-1);
    expect(exitCode).toBe(code);
    expect(summary).toMatchObject({ type: 'summary', failed: 0, done: rows.length - 1 });
    expect(summary.done).toBeLessThan(400);
    expect(stderr).toContain('once more leaves at once');
    expect(await work.files('o')).toHaveLength(summary.done);
  },
);

it('goes on from there when run again', async () => {
  const work = await workplace();
  await work.put(SMALL);
  const child = started(work, ['thumbnail', 'd']);
  await firstLine(child.stdout);
  child.kill('SIGINT');
  await child;
  const before = (await work.files('o')).length;
  const { code, report } = await work.json(['thumbnail', 'd', '--out', 'o']);
  expect(code).toBe(0);
  expect(report.summary).toMatchObject({ total: 400, done: 400 - before, skipped: before });
});

it('leaves at once on the second Ctrl-C, without a trace of what it was at', async () => {
  const work = await workplace();
  const [photo = ''] = photos();
  await work.put({ 'a.png': PNG });
  // minutes of work, were it not for the second signal; it has begun when the other one ends
  const slow = ['resize', photo, 'a.png', '--width', '4000', '--format', 'avif', '--effort', '9'];
  const child = started(work, slow, 2);
  await firstLine(child.stdout);
  child.kill('SIGINT');
  await firstLine(child.stderr);
  child.kill('SIGINT');
  const { signal, stdout, timedOut } = await child;
  // a shell tells it as 130
  expect([signal, timedOut]).toEqual(['SIGINT', false]);
  expect(stdout).not.toContain('summary');
  expect(await work.files('o')).toEqual(['a.avif']);
});

it('stops looking through folders without pictures when interrupted', async () => {
  const work = await workplace();
  await work.put({ 'd/a.png': PNG, 'd/z/z.png': PNG });
  // seconds of looking, so that the signal comes within them
  for (let i = 0; i < 10_000; i += 1) mkdirSync(work.at(`d/b${i}`));
  const child = started(work, ['thumbnail', 'd/a.png', 'd/z', 'd']);
  await firstLine(child.stdout);
  child.kill('SIGINT');
  const { exitCode } = await child;
  expect(exitCode).toBe(130);
});
