import { mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { type Workplace, workplace } from '../support/workplace.js';
import { picture, until, watching } from './watcher.js';

const THUMBS = 'imgtool-out/thumb-100';

it('looks by itself with --poll: arrivals, new folders, changes, deletions and renames', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1), 'inbox/old.png': await picture(9) });
  const watch = watching(place, ['inbox', '--poll', '--poll-interval', '50', '--mirror']);
  await watch.caughtUp();
  await place.put({ 'inbox/new/b.png': await picture(2) });
  await watch.outcomes(3);
  const older = new Date(1_500_000_000_000);
  await place.put({ 'next.png': await picture(3) });
  await utimes(place.at('next.png'), older, older);
  await rename(place.at('next.png'), place.at('inbox/a.png'));
  await watch.outcomes(4);
  await rename(place.at('inbox/old.png'), place.at('inbox/renamed.png'));
  await rm(place.at('inbox/new'), { recursive: true });
  await until(
    'two results to go',
    async () => watch.rows.filter(({ type }) => type === 'removed').length === 2,
  );
  await watch.outcomes(5);
  expect(await watch.stop()).toBe(0);
  expect(await place.files(THUMBS)).toEqual(['a.png', 'renamed.png']);
});

it('watches several folders at once, each with its own name in front', async () => {
  const place = await workplace();
  await place.put({ 'one/a.png': await picture(1), 'two/a.png': await picture(2) });
  const watch = watching(place, ['one', './two/']);
  await watch.caughtUp();
  await place.put({ 'one/b.png': await picture(3), 'two/sub/b.png': await picture(4) });
  await watch.outcomes(4);
  await watch.stop();
  expect(watch.rows[0]?.folders).toEqual([place.at('one'), place.at('two')]);
  expect(await place.files(THUMBS)).toEqual(['one/a.png', 'one/b.png', 'two/a.png', 'two/sub/b.png']);
});

it.each([
  ['oldest', [0, 1, 2, 3, 4]],
  ['newest', [4, 3, 2, 1, 0]],
])('takes the %s first', async (order, expected) => {
  const place = await workplace();
  let last = 0;
  for (const index of [0, 1, 2, 3, 4]) {
    const path = place.at(`inbox/${index}.png`);
    await place.put({ [`inbox/${index}.png`]: await picture(index) });
    const time = new Date(1_700_000_000_000 + index * 1000);
    // until the clock of the files has moved on, which counts in ticks
    do await utimes(path, time, time);
    while ((await stat(path)).ctimeMs <= last);
    last = (await stat(path)).ctimeMs;
  }
  const watch = watching(place, ['inbox', '--order', order, '-j', '1', '--once', '--stability', '0']);
  await watch.outcomes(5);
  const sources = watch.rows.filter(({ type }) => type === 'outcome').map(({ source }) => source);
  expect(sources).toEqual(expected.map((index) => `inbox/${index}.png`));
});

it('answers how it is on a port of this machine', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1), 'inbox/b.png': 'no picture' });
  const watch = watching(place, ['inbox', '--health-port', '0', '--retries', '1']);
  const { health } = await watch.row('the start', ({ type }) => type === 'watching');
  const ask = (path: string) => fetch(`http://127.0.0.1:${health}${path}`);
  expect((await ask('/livez')).status).toBe(200);
  await watch.caughtUp();
  expect((await ask('/readyz')).status).toBe(200);
  const metrics = await (await ask('/metrics')).text();
  expect(metrics).toContain('imgtool_watch_pictures_total{status="done"} 1\n');
  expect(metrics).toContain('imgtool_watch_pictures_total{status="failed"} 1\n');
  expect(metrics).toContain('imgtool_watch_ready 1\n');
  expect((await ask('/other')).status).toBe(404);
  await rename(place.at('inbox'), place.at('away'));
  await watch.row('it to be gone', ({ type, state }) => type === 'folder' && state === 'gone');
  expect((await ask('/readyz')).status).toBe(503);
  const second = await place.run(['watch', 'away', '--health-port', String(health)]);
  expect(second.err).toContain(`expected a free port, received ${health}`);
  expect(second.code).toBe(2);
  expect(await watch.stop()).toBe(0);
});

async function withRecipe(text: string): Promise<Workplace> {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1, 300), 'small.yaml': text });
  return place;
}

it('takes up a recipe file that changes, whichever way it is saved', async () => {
  const place = await withRecipe('steps: [{op: resize, width: 20}]');
  const watch = watching(place, ['inbox', '--recipe', 'small.yaml']);
  await watch.caughtUp();
  await writeFile(place.at('small.yaml'), 'steps: [{op: resize, width: 30}]');
  await watch.outcomes(2);
  await place.put({ 'next.yaml': 'steps: [{op: resize, width: 40}]' });
  await rename(place.at('next.yaml'), place.at('small.yaml'));
  const outcomes = await watch.outcomes(3);
  expect(outcomes.map(({ outputs }) => outputs[0])).toMatchObject([
    { width: 20 },
    { width: 30 },
    { width: 40 },
  ]);
  expect(await watch.stop()).toBe(0);
});

it('takes up a recipe file that changes while it starts', async () => {
  const place = await withRecipe('steps: [{op: resize, width: 20}]');
  const watch = watching(place, ['inbox', '--recipe', 'small.yaml']);
  await watch.row('the start', ({ type }) => type === 'watching');
  await writeFile(place.at('small.yaml'), 'steps: [{op: resize, width: 30}]');
  await watch.row('the new width', ({ outputs }) => outputs?.[0]?.width === 30);
  expect(await watch.stop()).toBe(0);
});

it('reads a recipe that comes through a pipe, once', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1, 300) });
  await execa('mkfifo', [place.at('small.yaml')]);
  const watch = watching(place, ['inbox', '--recipe', 'small.yaml']);
  await writeFile(place.at('small.yaml'), 'steps: [{op: resize, width: 20}]');
  await watch.outcomes(1);
  await place.put({ 'inbox/b.png': await picture(2, 300) });
  expect((await watch.outcomes(2)).at(-1)?.outputs[0]).toMatchObject({ width: 20 });
  expect(await watch.stop()).toBe(0);
  expect(watch.errors()).not.toContain('kept to the recipe');
});

it('says why it does not take up a recipe file, and keeps to what it was', async () => {
  const place = await withRecipe('steps: [{op: resize, width: 20}]');
  const watch = watching(place, ['inbox', '--recipe', 'small.yaml']);
  await watch.caughtUp();
  await writeFile(place.at('small.yaml'), 'steps: [{op: resize, width: twenty}]');
  // a file met between being emptied and being filled is refused for another reason
  await watch.row(
    'a refusal',
    ({ type, reason }) => type === 'settings' && reason?.includes('width') === true,
  );
  await writeFile(place.at('small.yaml'), 'name: other\nsteps: [{op: resize, width: 20}]');
  await watch.row(
    'another',
    ({ type, reason }) => type === 'settings' && reason?.includes('imgtool-out/other') === true,
  );
  await until('people to be told', async () =>
    /kept to the recipe as it was: .*imgtool-out\/other/.test(watch.errors()),
  );
  await place.put({ 'inbox/b.png': await picture(2, 300) });
  expect((await watch.outcomes(2)).at(-1)?.outputs[0]).toMatchObject({ width: 20 });
  expect(await watch.stop()).toBe(0);
});

it('takes up a changed config file, and says what needs a new start', async () => {
  const place = await workplace();
  const config = (settings: object) =>
    writeFile(place.at('imgtool.config.json'), JSON.stringify({ settings }));
  await place.put({ 'inbox/a.png': await picture(1, 300) });
  await config({ metadata: 'safe' });
  const watch = watching(place, ['inbox']);
  await watch.caughtUp();
  await config({ metadata: 'none' });
  await watch.row('it to be taken up', ({ type, taken }) => type === 'settings' && taken);
  await watch.outcomes(2);
  await config({ metadata: 'none', concurrency: 1 });
  await watch.row(
    'a refusal',
    ({ type, reason }) =>
      type === 'settings' && reason?.includes('concurrency changed; start again') === true,
  );
  expect(await watch.stop()).toBe(0);
});

it('follows links to folders, one that leads back included, once each', async () => {
  const place = await workplace();
  await place.put({ 'elsewhere/a.png': await picture(1) });
  await mkdir(place.at('inbox'));
  await symlink(place.at('elsewhere'), place.at('inbox/link'));
  await symlink(place.at('inbox'), place.at('elsewhere/back'));
  const watch = watching(place, ['inbox']);
  await watch.caughtUp();
  await place.put({ 'elsewhere/b.png': await picture(2) });
  await watch.outcomes(2);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['link/a.png', 'link/b.png']);
});
