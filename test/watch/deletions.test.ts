import { copyFile, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type Workplace, workplace } from '../support/workplace.js';
import { exists, picture, until, type Watching, watching } from './watcher.js';

const THUMBS = 'imgtool-out/thumb-100';

async function started(
  names: readonly string[],
  args: readonly string[],
): Promise<{ place: Workplace; watch: Watching }> {
  const place = await workplace();
  for (const [index, name] of names.entries()) await place.put({ [`inbox/${name}`]: await picture(index) });
  const watch = watching(place, ['inbox', ...args]);
  await watch.caughtUp();
  return { place, watch };
}

it('keeps the results of originals that are deleted', async () => {
  const { place, watch } = await started(['a.png', 'b.png', 'sub/c.png'], []);
  await rm(place.at('inbox/a.png'));
  await rm(place.at('inbox/sub'), { recursive: true });
  // a rename after them is seen to together with them
  await rename(place.at('inbox/b.png'), place.at('inbox/d.png'));
  await watch.row('the renamed one to move', ({ type }) => type === 'removed');
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['a.png', 'd.png', 'sub/c.png']);
});

it('moves results with renamed originals and folders', async () => {
  const { place, watch } = await started(['a.png', 'old/b.png', 'old/deep/c.png'], []);
  await rename(place.at('inbox/a.png'), place.at('inbox/z.png'));
  await rename(place.at('inbox/old'), place.at('inbox/new'));
  await until(
    'three results to go',
    async () => watch.rows.filter(({ type }) => type === 'removed').length === 3,
  );
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['new/b.png', 'new/deep/c.png', 'z.png']);
});

it('does not take a copy of the same size and time for the new name of a deleted original', async () => {
  const { place, watch } = await started(['a.png', 'x.png'], []);
  const time = new Date(1_700_000_000_000);
  await utimes(place.at('inbox/a.png'), time, time);
  await copyFile(place.at('inbox/a.png'), place.at('copy.png'));
  await utimes(place.at('copy.png'), time, time);
  await rename(place.at('copy.png'), place.at('inbox/copy.png'));
  await watch.row('the copy', ({ source }) => source === 'inbox/copy.png');
  await until('a.png to be known by its new time', async () => {
    const record = await readFile(place.at(`${THUMBS}/.imgtool-manifest.ndjson`), 'utf8');
    return record.split(`"mtimeMs":${(await stat(place.at('inbox/a.png'))).mtimeMs}`).length >= 3;
  });
  await rm(place.at('inbox/a.png'));
  // a real rename after it is seen to together with it
  await rename(place.at('inbox/x.png'), place.at('inbox/y.png'));
  await watch.row('x to go', ({ type }) => type === 'removed');
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['a.png', 'copy.png', 'y.png']);
});

it('removes the results of deleted originals with --mirror, also of those deleted while it was off', async () => {
  const { place, watch } = await started(['a.png', 'b.png', 'c.png', 'sub/d.png'], ['--mirror']);
  await rm(place.at('inbox/a.png'));
  await rm(place.at('inbox/sub'), { recursive: true });
  await until('two results to go', async () => (await place.files(THUMBS)).length === 2);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['b.png', 'c.png']);
  await rm(place.at('inbox/b.png'));
  expect((await place.run(['watch', 'inbox', '--mirror', '--once'])).code).toBe(0);
  expect(await place.files(THUMBS)).toEqual(['c.png']);
});

it('leaves results alone with --mirror when the whole folder is empty: its disk may be missing', async () => {
  const { place, watch } = await started(['a.png'], ['--mirror']);
  await watch.stop();
  await rm(place.at('inbox'), { recursive: true });
  await mkdir(place.at('inbox'));
  const { code, err } = await place.run(['watch', 'inbox', '--mirror', '--once', '--allow-empty']);
  expect(code).toBe(0);
  expect(err).toContain('left alone');
  expect(await place.files(THUMBS)).toEqual(['a.png']);
});

it('leaves a result that somebody changed', async () => {
  const { place, watch } = await started(['a.png', 'b.png'], ['--mirror']);
  await writeFile(place.at(`${THUMBS}/a.png`), 'mine');
  await rm(place.at('inbox/a.png'));
  await rm(place.at('inbox/b.png'));
  await watch.row('the other to go', ({ type }) => type === 'removed');
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['a.png']);
});

it('moves originals that are done, those of a run that was killed before it could as well', async () => {
  const place = await workplace();
  await place.put({ 'inbox/sub/a.png': await picture(1), 'done/sub/a.png': 'an earlier one' });
  expect((await place.run(['watch', 'inbox', '--once'])).code).toBe(0);
  const watch = watching(place, ['inbox', '--done', 'done']);
  await watch.row('it to be moved', ({ type }) => type === 'moved');
  await place.put({ 'inbox/b.png': await picture(2) });
  await watch.row('the next to be moved', ({ type, source }) => type === 'moved' && source === 'inbox/b.png');
  await watch.stop();
  expect(await place.files('done')).toEqual(['b.png', 'sub/a-2.png', 'sub/a.png']);
  expect(await place.files('inbox')).toEqual([]);
  expect(await place.files(THUMBS)).toEqual(['b.png', 'sub/a.png']);
  expect(await exists(place.at('inbox/sub'))).toBe(true);
});
