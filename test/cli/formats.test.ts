import { expect, test } from 'vitest';
import { FORMATS, formats, UNREADABLE_EXTENSIONS } from '../../src/codecs/extensions.js';
import { imgtool } from '../support/cli.js';

test('formats lists what this build reads and writes, and what it knows but does not read', async () => {
  const { stdout, exitCode } = await imgtool(['formats']);
  expect(exitCode).toBe(0);
  const lines = String(stdout).split('\n');
  for (const name of formats()) {
    const { reads, writes, extensions } = FORMATS[name];
    const row = lines.find((line) => line.startsWith(`${name} `)) ?? '';
    expect(row.split(/\s+/).slice(0, 3)).toEqual([name, reads ? 'yes' : '-', writes ? 'yes' : '-']);
    expect(row.endsWith(extensions.join(' '))).toBe(true);
  }
  for (const type of Object.keys(UNREADABLE_EXTENSIONS)) expect(stdout).toMatch(new RegExp(`\\b${type}\\b`));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('formats --json is the whole table', async () => {
  const { stdout } = await imgtool(['formats', '--json']);
  expect(JSON.parse(String(stdout))).toEqual({ formats: FORMATS, notRead: UNREADABLE_EXTENSIONS });
});

test('--version and -v answer at once', async () => {
  for (const flag of ['--version', '-v'])
    expect((await imgtool([flag])).stdout).toMatch(/^imgtool\/\d+\.\d+\.\d+\S* \w+-\w+ node-v\d/);
});
