import { stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { picture, SVG, type Workplace, workplace } from '../support/workplace.js';

const PNG = await picture('png');
const JPEG = await picture('jpeg');

/** A folder with every kind of fate: made, renamed by its bytes, damaged, there already, in the way. */
async function varied(): Promise<Workplace> {
  const work = await workplace();
  await work.put({ 'd/old.png': PNG });
  await work.run(['thumbnail', 'd', '--out', 'o']);
  await work.put({
    'd/in/x.png': PNG,
    'd/misnamed.png': JPEG,
    'd/v.svg': SVG,
    'd/words.jpg': 'words',
    'd/foreign.png': PNG,
    'o/foreign.png': 'mine',
  });
  return work;
}

/** What a run did, in the words of a plan. */
async function done(work: Workplace, args: readonly string[]): Promise<string[]> {
  const { report } = await work.json(args);
  return report.outcomes
    .map(({ source, status, outputs, reason, error }) => {
      const action = status === 'done' ? 'make' : status === 'failed' ? 'fail' : reason;
      return `${action} ${source} ${error?.code ?? outputs?.[0]?.path}`;
    })
    .sort();
}

it.each([
  ['the default', []],
  ['skip', ['--if-exists', 'skip']],
  ['overwrite, flat and renamed', ['--if-exists', 'overwrite', '--name', '{width}-{name}.{ext}']],
  ['another format', ['--format', 'webp']],
])('prints exactly what the run then does: %s', async (_, flags) => {
  const work = await varied();
  const args = ['thumbnail', 'd', 'gone.png', '--out', 'o', ...flags];
  const before = await work.files();
  const text = await work.run([...args, '--dry-run']);
  const json = await work.json([...args, '--dry-run']);
  const lines = await work.run([...args, '--dry-run', '--ndjson']);
  expect(await work.files()).toEqual(before);
  const rows = json.report.plan;
  expect(
    lines.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(rows);
  expect(text.out.trimEnd().split('\n')).toEqual(
    rows.map(({ action, source, target, error }) =>
      error === undefined
        ? `${action} ${source} → ${target}`
        : `fail ${source}: ${error.code}: ${error.message}`,
    ),
  );
  expect([text.code, json.code, lines.code]).toEqual([1, 1, 1]);
  const plan = rows.map(
    ({ action, source, target, error }) => `${action} ${source} ${error?.code ?? target}`,
  );
  expect(plan.sort()).toEqual(await done(work, args));
});

it('writes nothing, not even the output folder', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  const { code, out, err } = await work.run(['thumbnail', 'd', '-n', '--out', 'o/p']);
  expect([code, out]).toEqual([0, 'make d/x.png → o/p/x.png\n']);
  expect(err).toContain('1 planned, 0 failing; nothing was written');
  await expect(stat(work.at('o'))).rejects.toThrow('ENOENT');
});

it('plans standard output and originals replaced', async () => {
  const work = await workplace();
  await work.put({ 'x.png': PNG });
  expect((await work.run(['thumbnail', 'x.png', '-n', '-o', '-'])).out).toBe('make x.png → -\n');
  expect((await work.run(['thumbnail', 'x.png', '-n', '--in-place'])).out).toBe('replace x.png → x.png\n');
  expect((await work.run(['thumbnail', 'x.png', '-n', '-o', 't.webp'])).out).toBe('make x.png → t.webp\n');
});

it('ends like the run where nothing matches, where names clash, and where an input would be replaced', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG, 'd/x.jpg': JPEG, 'e/n.txt': 'x' });
  expect((await work.json(['thumbnail', 'e', '-n'])).report.error?.code).toBe('E_NOTHING_MATCHED');
  expect((await work.run(['thumbnail', 'e', '-n'])).code).toBe(3);
  expect((await work.run(['thumbnail', 'e', '-n', '--allow-empty'])).code).toBe(0);
  expect((await work.run(['thumbnail', 'd', '-n', '--format', 'webp'])).code).toBe(2);
  expect((await work.run(['thumbnail', 'd', '-n', '--out', 'd'])).code).toBe(2);
});
