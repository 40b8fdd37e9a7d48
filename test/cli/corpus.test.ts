import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { corpus } from '../support/fixtures.js';
import { workplace } from '../support/workplace.js';

const FOLDER = corpus();

/** Every picture of the corpus, but documents, which this build only names. */
function pictures(): string[] {
  if (FOLDER === undefined) return [];
  return readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(md|txt|pdf)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

it.skipIf(FOLDER === undefined)(
  'ends every picture of $IMGTOOL_CORPUS as done, or as refused for a reason',
  async () => {
    const work = await workplace();
    const files = pictures();
    await work.put({ list: files.join('\n') });
    const args = ['thumbnail', '--files-from', 'list', '--out', 'o', '--name', '{index}-{name}.{ext}'];
    const { report, err } = await work.json(args, { timeout: 300_000 });
    expect(report.summary.total).toBe(files.length);
    expect(err).not.toMatch(/\n\s+at |E_INTERNAL|E_PROCESS/);
    for (const { status, source, error } of report.outcomes)
      if (status === 'failed') expect(error).toMatchObject({ stage: 'decode', file: source });
    const refused = report.outcomes.filter(({ status }) => status === 'failed').map(({ source }) => source);
    expect(refused.filter((source) => !source.includes('/hostile/'))).toEqual([]);
    expect(await work.files('o')).toHaveLength(report.summary.done);
  },
  310_000,
);
