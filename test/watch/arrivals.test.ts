import { chmod, copyFile, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type Workplace, workplace } from '../support/workplace.js';
import { heavyPicture, picture, until, type Watching, watching } from './watcher.js';

async function started(args: readonly string[] = []): Promise<{ place: Workplace; watch: Watching }> {
  const place = await workplace();
  await mkdir(place.at('inbox'));
  const watch = watching(place, ['inbox', '--retry-delay', '50', ...args]);
  await watch.caughtUp();
  return { place, watch };
}

const THUMBS = 'imgtool-out/thumb-100';

function result(place: Workplace): Promise<string> {
  return readFile(place.at(`${THUMBS}/a.png`), 'base64').catch(() => 'none yet');
}

it('takes a picture of a slow writer once, when it is whole', async () => {
  // however long a writer stops in the middle
  const { place, watch } = await started(['--retries', '1000']);
  const bytes = await heavyPicture(1, 200);
  const file = await open(place.at('inbox/slow.png'), 'w');
  for (let at = 0; at < bytes.length; at += 40_000) {
    await file.write(bytes.subarray(at, at + 40_000));
    // another picture in between tells that time has passed for the watch as well
    await place.put({ [`inbox/tick-${at}.png`]: await picture() });
    await watch.row('the tick', ({ source }) => source === `inbox/tick-${at}.png`);
  }
  await file.close();
  await watch.row('the slow one', ({ source, status }) => source === 'inbox/slow.png' && status === 'done');
  await watch.stop();
  const outcomes = watch.rows.filter(({ type, source }) => type === 'outcome' && source === 'inbox/slow.png');
  expect(outcomes).toHaveLength(1);
});

it('takes what is renamed into place, and none of the temporary names before', async () => {
  const { place, watch } = await started();
  await place.put({ 'inbox/.a.png.Xy12Za': await picture(1), 'inbox/b.png.part': await picture(2) });
  await rename(place.at('inbox/.a.png.Xy12Za'), place.at('inbox/a.png'));
  await rename(place.at('inbox/b.png.part'), place.at('inbox/b.png'));
  await watch.outcomes(2);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['a.png', 'b.png']);
});

it('takes a folder that is moved in, and folders made in there later', async () => {
  const { place, watch } = await started();
  await place.put({ 'away/one.png': await picture(1), 'away/deep/two.png': await picture(2) });
  await rename(place.at('away'), place.at('inbox/new'));
  await watch.outcomes(2);
  await place.put({
    'inbox/new/deep/er/three.png': await picture(3),
    'inbox/four.png/five.png': await picture(4),
  });
  await watch.outcomes(4);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual([
    'four.png/five.png',
    'new/deep/er/three.png',
    'new/deep/two.png',
    'new/one.png',
  ]);
});

it('keeps to the folder itself with --no-recursive', async () => {
  const { place, watch } = await started(['--no-recursive']);
  await place.put({ 'inbox/sub/a.png': await picture(1), 'inbox/b.png': await picture(2) });
  await watch.outcomes(1);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['b.png']);
});

it('takes a thousand pictures copied at once, each once', async () => {
  const { place, watch } = await started();
  const bytes = await picture();
  await mkdir(place.at('away'));
  const names = Array.from({ length: 1000 }, (_, index) => `${index}.png`.padStart(8, '0'));
  await Promise.all(names.map((name) => writeFile(place.at(`away/${name}`), bytes)));
  // each in one call: a copy whose permissions are set later is two changes, and may be met in between
  await Promise.all(names.map((name) => copyFile(place.at(`away/${name}`), place.at(`inbox/${name}`))));
  await watch.outcomes(1000);
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(names);
  expect(new Set(watch.rows.filter(({ type }) => type === 'outcome').map(({ source }) => source)).size).toBe(
    1000,
  );
  expect(watch.rows.at(-1)).toMatchObject({ type: 'summary', done: 1000, skipped: 0, failed: 0 });
});

it.each(['renamed over it', 'written into it'])(
  'makes the result of the newer content when that is %s while the older is processed',
  async (way) => {
    const { place, watch } = await started(['--health-port', '0']);
    const { health } = watch.rows[0] ?? {};
    const [older, newer] = [await heavyPicture(1), await heavyPicture(2)];
    await place.put({ 'next.png': newer, 'fresh/a.png': newer, 'inbox/a.png': older });
    // or done already, where the processors are all ours
    await until('it to be in work', async () => {
      const answer = await fetch(`http://127.0.0.1:${health}/metrics`);
      return /_running 1$|status="done"} 1$/m.test(await answer.text());
    });
    if (way === 'renamed over it') await rename(place.at('next.png'), place.at('inbox/a.png'));
    else await writeFile(place.at('inbox/a.png'), newer);
    expect((await place.run(['thumbnail', 'fresh', '--out', 'fresh-out'])).code).toBe(0);
    const expected = await readFile(place.at('fresh-out/a.png'), 'base64');
    await until('the result of the newer content', async () => (await result(place)) === expected);
    await watch.stop();
    expect(await result(place)).toBe(expected);
  },
);

it('follows a name that changes only its case', async () => {
  const { place, watch } = await started();
  await place.put({ 'inbox/Photo.PNG': await picture(1) });
  await watch.outcomes(1);
  await rename(place.at('inbox/Photo.PNG'), place.at('inbox/photo.PNG'));
  await watch.row('the old result to go', ({ type }) => type === 'removed');
  await watch.stop();
  expect(await place.files(THUMBS)).toEqual(['photo.PNG']);
});

it('does not process again what is only touched, and does what changes', async () => {
  const { place, watch } = await started();
  await place.put({ 'inbox/a.png': await picture(1) });
  await watch.outcomes(1);
  await chmod(place.at('inbox/a.png'), 0o600);
  await watch.outcomes(1, 'skipped');
  await writeFile(place.at('inbox/a.png'), await picture(200));
  await watch.outcomes(2);
  expect(await watch.stop()).toBe(0);
});
