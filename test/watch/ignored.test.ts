import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { workplace } from '../support/workplace.js';
import { picture, watching } from './watcher.js';

it('is not set off by its own results, temporary files and what it moves, wherever they lie', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1), 'inbox/bad.png': 'no picture' });
  const folders = ['--out', 'inbox/results', '--done', 'inbox/done', '--failed', 'inbox/failed'];
  const watch = watching(place, ['inbox', ...folders, '--retries', '1']);
  await watch.caughtUp();
  // put there whole, as there is one try only
  await place.put({ 'b.png': await picture(2), 'last.png': await picture(3) });
  await rename(place.at('b.png'), place.at('inbox/b.png'));
  await watch.row('b to be moved', ({ type, source }) => type === 'moved' && source === 'inbox/b.png');
  await rename(place.at('last.png'), place.at('inbox/last.png'));
  await watch.row(
    'the last to be moved',
    ({ type, source }) => type === 'moved' && source === 'inbox/last.png',
  );
  await watch.stop();
  expect(await place.files('inbox')).toEqual([
    'done/a.png',
    'done/b.png',
    'done/last.png',
    'failed/bad.png',
    'failed/bad.png.txt',
    'results/a.png',
    'results/b.png',
    'results/last.png',
  ]);
  const sources = watch.rows.filter(({ type }) => type === 'outcome').map(({ source }) => source);
  expect(sources.sort()).toEqual(['inbox/a.png', 'inbox/b.png', 'inbox/bad.png', 'inbox/last.png']);
});

it('is not set off by what another run of imgtool writes into the folder', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1) });
  const watch = watching(place, ['inbox']);
  await watch.caughtUp();
  expect((await place.run(['thumbnail', 'inbox', '--out', 'inbox/mine'])).code).toBe(0);
  await place.put({ 'inbox/last.png': await picture(3) });
  await watch.row('the last', ({ source }) => source === 'inbox/last.png');
  await watch.stop();
  expect(await place.files('imgtool-out/thumb-100')).toEqual(['a.png', 'last.png']);
});

it('knows a folder for that of a run, however soon after it the first result comes', async () => {
  const place = await workplace();
  const bytes = await picture(1);
  await place.put({ 'inbox/a.png': bytes });
  const watch = watching(place, ['inbox']);
  await watch.caughtUp();
  for (let number = 0; number < 300; number += 1) {
    const folder = place.at(`inbox/mine-${number}`);
    writeFileSync(place.at('next.png'), bytes);
    mkdirSync(folder);
    // the claim of a name stands before the result
    if (number % 2 === 0) await turn();
    writeFileSync(`${folder}/.imgtool-manifest.ndjson`, '');
    renameSync(place.at('next.png'), `${folder}/b.png`);
  }
  await place.put({ 'inbox/last.png': await picture(3) });
  await watch.row('the last', ({ source }) => source === 'inbox/last.png');
  await watch.stop();
  expect(await place.files('imgtool-out/thumb-100')).toEqual(['a.png', 'last.png']);
});

it('leaves alone what --ignore and .imgtoolignore match, as git does', async () => {
  const place = await workplace();
  const one = await picture(1);
  await place.put({
    'inbox/.imgtoolignore': '# drafts\ndraft-*\n!draft-final.png\n/private/\n',
    'inbox/a.png': one,
    'inbox/draft-1.png': one,
    'inbox/draft-final.png': one,
    'inbox/private/b.png': one,
    'inbox/sub/private/c.png': one,
    'inbox/sub/raw/d.png': one,
  });
  const watch = watching(place, ['inbox', '--ignore', 'raw', '--ignore', '*.gif']);
  await watch.caughtUp();
  await place.put({ 'inbox/private/e.png': one, 'inbox/sub/draft-2.png': one, 'inbox/f.png': one });
  await watch.row('f', ({ source }) => source === 'inbox/f.png');
  expect(await place.files('imgtool-out')).toEqual(
    ['a.png', 'draft-final.png', 'f.png', 'sub/private/c.png'].map((name) => `thumb-100/${name}`),
  );
  await rm(place.at('inbox/.imgtoolignore'));
  await watch.outcomes(8);
  await watch.stop();
  expect(await place.files('imgtool-out/thumb-100')).toEqual([
    'a.png',
    'draft-1.png',
    'draft-final.png',
    'f.png',
    'private/b.png',
    'private/e.png',
    'sub/draft-2.png',
    'sub/private/c.png',
  ]);
});
