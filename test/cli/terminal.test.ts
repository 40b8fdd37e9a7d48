import { spawnSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { printable } from '../../commands/terminal/streams.js';
import { cells } from '../../src/report/cells.js';
import { progressText } from '../../src/report/progress.js';
import { CLI, imgtool, userEnvironment } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const PROGRESS = {
  count: 7,
  bytes: 30_000_000,
  total: 61,
  ms: 3000,
  current: 'holiday/日本/a-long-name.jpg',
};

test('the live line shows bar, count, speed, time left and file', () => {
  expect(progressText(PROGRESS, 100)).toBe(
    '██░░░░░░░░░░░░░░░░░░ · 7 of 61 · 10.0 MB/s · 23.1 s left · holiday/日本/a-long-name.jpg',
  );
  expect(progressText({ ...PROGRESS, total: undefined }, 100)).toBe(
    '7 images · 10.0 MB/s · holiday/日本/a-long-name.jpg',
  );
});

test('the live line is never wider than it may be, and keeps the count longest', () => {
  for (let width = 10; width <= 120; width += 1)
    for (const total of [undefined, 61]) {
      const line = progressText({ ...PROGRESS, total }, width);
      expect(cells(line)).toBeLessThanOrEqual(width);
      expect(line).toMatch(/7 (of 61|images?)/);
    }
  // the end of a name tells more than its folder
  expect(progressText(PROGRESS, 72)).toMatch(/ left · ….*-name\.jpg$/);
});

test.each([
  ['a\u001b[2Jb', 'a\\x1b[2Jb'],
  ['line\nbreak\tand\rreturn', 'line\\nbreak\\x09and\\x0dreturn'],
  ['gpj.\u202etxt', 'gpj.\\u202etxt'],
  ['\u009b31m', '\\x9b31m'],
  ['naïve 日本 👩‍👧.jpg', 'naïve 日本 👩‍👧.jpg'],
])('%j is shown so that it steers no terminal', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('names and errors with control characters are escaped in all that is said', async () => {
  const folder = await tempDir();
  const name = 'evil\u001b[2J\u0007.jpg';
  await writeFile(join(folder, name), 'no picture');
  for (const args of [
    ['resize', '.', '--thumb', '9', '--verbose'],
    ['size', '.'],
    ['resize', '.', '--thumb', '9', '-n'],
  ]) {
    const { stdout, stderr } = await imgtool(args, { cwd: folder });
    expect(`${stdout}${stderr}`).toContain('evil\\x1b[2J\\x07.jpg');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(`${stdout}${stderr}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  }
  const { stderr } = await imgtool(['resize', 'none\u001b[2J', '--widht\u001b', '3'], { cwd: folder });
  expect(stderr).not.toContain('\u001b');
});

test('off a terminal there are plain lines on standard error, and nothing on standard output', async () => {
  const folder = await pictures(3);
  const { stdout, stderr, exitCode } = await imgtool(['resize', 'images', '--thumb', '9'], { cwd: folder });
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  const lines = String(stderr).split('\n');
  expect(lines[0]).toMatch(
    /^ {2}failed images\/broken\.jpg: decode, E_(DECODE|UNSUPPORTED): expected .*, received /,
  );
  expect(lines[1]).toMatch(/^ {2}3 done, 1 failed · 338 kB → \d+ B · \d+\.\d s$/);
  expect(lines.slice(2)).toEqual(['  imgtool-out/thumb-9/   (originals untouched)', '']);
});

test('--quiet says errors only, --verbose a line for each picture', async () => {
  const folder = await pictures(2);
  const quiet = await imgtool(['resize', 'images', '--thumb', '9', '--quiet'], { cwd: folder });
  expect(String(quiet.stderr).split('\n')).toEqual([expect.stringContaining('failed images/broken.jpg'), '']);
  for (const data of ['--json', '--ndjson']) {
    const args = ['resize', 'images', '--thumb', '9', '--force', '--quiet', data];
    const both = await imgtool(args, { cwd: folder });
    expect(both.stderr).toBe(quiet.stderr);
    expect(both.stdout).toContain('"done":');
  }
  const verbose = await imgtool(['resize', 'images', '--thumb', '9', '--verbose', '--force'], {
    cwd: folder,
  });
  expect(
    String(verbose.stderr).match(/^ {2}done images\/\d\.jpg → imgtool-out\/thumb-9\/\d\.jpg 9x6 \d+ B$/gm),
  ).toHaveLength(2);
});

// `script` of util-linux gives a command a terminal of its own
const noTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') !== true;

test.skipIf(noTerminal && process.env.CI === undefined)(
  'on a terminal a live line goes, the cursor comes back, and the summary tells what was done',
  async () => {
    const folder = await pictures(6);
    const shown = await onTerminal(['resize', 'images', '--width', '600'], folder);
    expect(shown).toContain('looking for pictures');
    expect(shown.lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001b[?25l'));
    expect(shown).toMatch(/failed images\/broken\.jpg: decode, E_/);
    expect(said(shown)).toMatch(
      /✖ 6 of 7 images · 1 failed · 675 kB → \d+ kB · \d+\.\d s\r\n {2}imgtool-out\/resize-600\/ {3}\(originals untouched\)\r\n$/,
    );
    const fine = await onTerminal(['resize', 'images/1.jpg', '--thumb', '100'], folder);
    expect(said(fine)).toMatch(
      /✔ 1 of 1 image · 113 kB → \d\.\d kB · \d+\.\d s\r\n {2}imgtool-out\/thumb-100\/ {3}\(originals untouched\)\r\n$/,
    );
  },
);

test.skipIf(noTerminal && process.env.CI === undefined)(
  'on a terminal a report that goes elsewhere leaves the live line',
  async () => {
    const folder = await pictures(1);
    const shown = await onTerminal(
      ['resize', 'images', '--thumb', '9', '--json', '>', 'report.json'],
      folder,
    );
    expect(shown).toContain('\u001b[?25l');
    expect(said(shown)).toMatch(/ {2}1 done, 1 failed\r\n$/);
  },
);

test.skipIf(noTerminal && process.env.CI === undefined)(
  'a terminal without a size gets plain lines',
  async () => {
    const folder = await pictures(1);
    const shown = await onTerminal(['resize', 'images', '--thumb', '9'], folder, 0);
    expect(shown).not.toContain('\u001b');
    expect(shown).toMatch(/ {2}1 done, 1 failed · /);
  },
);

/** What a terminal is sent, without the cursor's return, which comes once more as the process ends. */
function said(shown: string): string {
  return shown.replaceAll('\u001b[?25h', '');
}

/** What a terminal is sent while the command runs; the words are a shell's. */
async function onTerminal(args: readonly string[], cwd: string, columns = 100): Promise<string> {
  const command = [`stty cols ${columns} rows 30;`, `'${process.execPath}'`, `'${CLI}'`, ...args].join(' ');
  const { stdout } = await execa('script', ['-qec', command, '/dev/null'], {
    cwd,
    reject: false,
    timeout: 50_000,
    stdin: 'ignore',
    stripFinalNewline: false,
    env: { ...userEnvironment(), TERM: 'xterm-256color', SHELL: '/bin/sh' },
  });
  return stdout;
}

async function pictures(count: number): Promise<string> {
  const folder = await tempDir();
  const photo = photos().find((path) => path.endsWith('rocket.jpg')) ?? '';
  await mkdir(join(folder, 'images'));
  for (let number = 1; number <= count; number += 1) await cp(photo, join(folder, `images/${number}.jpg`));
  await writeFile(join(folder, 'images/broken.jpg'), 'no picture');
  return folder;
}
