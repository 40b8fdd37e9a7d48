import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { picture, workplace } from '../support/workplace.js';

const PNG = await picture('png');

const NAMES = [
  'two words.png',
  ' leading and trailing .png',
  '-x.png',
  '--out.png',
  '-o',
  'line\nend.png',
  'tab\tand\rreturn.png',
  "it's.png",
  'say "hi".png',
  '$HOME `id` $(id).png',
  'back\\slash.png',
  'caf\u00e9.png',
  'cafe\u0301.png',
  '\u65e5\u672c\u8a9e.png',
  '\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67.png',
  'esc\u001b[31mred.png',
  '{name}.png',
  '[x]*?.png',
  '!not.png',
  '#hash;semi&amp|pipe.png',
  'a.b.c.png',
  `${'l'.repeat(251)}.png`,
  `${'\u00e9'.repeat(125)}.png`,
];

it('takes every name from a directory and keeps it to the byte', async () => {
  const work = await workplace();
  const files = NAMES.filter((name) => name.endsWith('.png'));
  await work.put(Object.fromEntries(files.map((name) => [`d/${name}`, PNG])));
  const { code, report } = await work.json(['thumbnail', 'd', '--out', 'o']);
  expect(code).toBe(0);
  expect(await work.files('o')).toEqual([...files].sort());
  expect(report.outcomes.map(({ source }) => source).sort()).toEqual(files.map((name) => `d/${name}`).sort());
});

it('takes them as arguments behind --, and from a list', async () => {
  const work = await workplace();
  await work.put(Object.fromEntries(NAMES.map((name) => [name, PNG])));
  await work.put({ list: NAMES.map((name) => `${name}\0`).join('') });
  const named = await work.run(['thumbnail', '--out', 'o1', '--', ...NAMES]);
  const listed = await work.run(['thumbnail', '--files-from', 'list', '--out', 'o2']);
  const wanted = NAMES.map((name) => (name === '-o' ? '-o.png' : name)).sort();
  expect([named.code, listed.code]).toEqual([0, 0]);
  expect(await work.files('o1')).toEqual(wanted);
  expect(await work.files('o2')).toEqual(wanted);
});

it('lets no name steer the terminal', async () => {
  const work = await workplace();
  await work.put({ 'd/esc\u001b[31m\nred.png': 'words', 'd/\u009b2J.png': 'words' });
  const { err } = await work.run(['thumbnail', 'd', '--verbose']);
  const plan = await work.run(['thumbnail', 'd', '--dry-run']);
  for (const text of [err, plan.out]) {
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text).toContain('esc\\x1b[31m\\nred.png');
  }
});

it('says that a result would have too long a name', async () => {
  const work = await workplace();
  await work.put({ [`d/${'l'.repeat(251)}.png`]: PNG, 'd/x.png': PNG });
  const { code, report } = await work.json(['thumbnail', 'd', '--format', 'webp', '--out', 'o']);
  expect(code).toBe(1);
  expect(report.outcomes.find(({ status }) => status === 'failed')?.error).toMatchObject({
    code: 'E_WRITE',
    stage: 'write',
  });
  expect(await work.files('o')).toEqual(['x.webp']);
});

it.skipIf(process.platform !== 'linux')('says that a name is no UTF-8, and goes on', async () => {
  const work = await workplace();
  await work.put({ 'd/x.png': PNG });
  writeFileSync(
    Buffer.concat([Buffer.from(join(work.path, 'd/')), Buffer.from([0xff]), Buffer.from('.png')]),
    PNG,
  );
  const { code, report } = await work.json(['thumbnail', 'd', '--out', 'o']);
  expect(code).toBe(1);
  expect(report.summary).toMatchObject({ done: 1, failed: 1 });
  expect(await readdir(work.at('d'))).toHaveLength(2);
});
