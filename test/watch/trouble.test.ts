import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { workplace } from '../support/workplace.js';
import { exists, heavyPicture, picture, until, type Watching, watching } from './watcher.js';

const THUMBS = 'imgtool-out/thumb-100';

it('tries a picture that is cut short again, then puts it aside with a text that says why', async () => {
  const place = await workplace();
  const whole = await picture(1, 300);
  await place.put({ 'inbox/sub/cut.png': whole.subarray(0, whole.length - 40), 'inbox/ok.png': whole });
  const watch = watching(place, ['inbox', '--failed', 'failed', '--retries', '3', '--retry-delay', '20']);
  await watch.row('it to be moved', ({ type }) => type === 'moved');
  await watch.caughtUp();
  expect(watch.rows.filter(({ type }) => type === 'retry').map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(await place.files('failed')).toEqual(['sub/cut.png', 'sub/cut.png.txt']);
  const why = await readFile(place.at('failed/sub/cut.png.txt'), 'utf8');
  expect(why).toMatch(/^inbox\/sub\/cut\.png: E_DECODE: .*\ntried 3 times, last at \d{4}-/);
  expect(await place.files('inbox')).toEqual(['ok.png']);
  expect(await place.files(THUMBS)).toEqual(['ok.png']);
  expect(await watch.stop()).toBe(0);
});

it('numbers what is put aside under a name that is taken', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': 'no picture', 'failed/a.png': 'an earlier one' });
  const args = ['watch', 'inbox', '--once', '--failed', 'failed', '--retries', '1'];
  expect((await place.run(args)).code).toBe(1);
  expect(await place.files('failed')).toEqual(['a-2.png', 'a-2.png.txt', 'a.png']);
});

it('takes a picture that is completed between two tries', async () => {
  const place = await workplace();
  const whole = await heavyPicture(3, 120);
  await place.put({ 'inbox/a.png': whole.subarray(0, 9000) });
  const watch = watching(place, ['inbox', '--retry-delay', '20', '--retries', '500']);
  await watch.row('a first try', ({ type }) => type === 'retry');
  await writeFile(place.at('inbox/a.png'), whole);
  await watch.outcomes(1);
  expect(await watch.stop()).toBe(0);
  expect(watch.rows.at(-1)).toMatchObject({ done: 1, failed: 0 });
});

it('takes what decodes of a damaged picture with --lenient, after it had its time', async () => {
  const place = await workplace();
  const whole = await heavyPicture(3, 120);
  await place.put({ 'inbox/a.png': whole.subarray(0, whole.length - 9000) });
  const watch = watching(place, ['inbox', '--lenient', '--retry-delay', '1', '--retries', '3']);
  await watch.outcomes(1);
  await watch.stop();
  expect(watch.rows.filter(({ type }) => type === 'retry')).toHaveLength(2);
});

it('makes the folder of results again when somebody removes it', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1) });
  const watch = watching(place, ['inbox', '--retry-delay', '20']);
  await watch.outcomes(1);
  await rm(place.at('imgtool-out'), { recursive: true });
  await place.put({ 'inbox/b.png': await picture(2) });
  await watch.outcomes(2);
  expect(await place.files(THUMBS)).toEqual(['b.png']);
  expect(await watch.stop()).toBe(0);
});

it('waits for a watched folder that is deleted, and goes on when it is created again', async () => {
  const place = await workplace();
  await place.put({ 'inbox/sub/a.png': await picture(1) });
  const watch = watching(place, ['inbox', '--mirror']);
  await watch.outcomes(1);
  await watch.caughtUp();
  await rm(place.at('inbox'), { recursive: true });
  await watch.row('it to be gone', ({ type, state }) => type === 'folder' && state === 'gone');
  await place.put({ 'inbox/b.png': await picture(2), 'inbox/sub/c.png': await picture(3) });
  await watch.row('it to be back', ({ type, state }) => type === 'folder' && state === 'back');
  await watch.outcomes(3);
  await rename(place.at('inbox'), place.at('moved'));
  await mkdir(place.at('inbox'));
  await place.put({ 'inbox/sub/d.png': await picture(4), 'moved/not-this.png': await picture(5) });
  await watch.outcomes(4);
  expect(await watch.stop()).toBe(0);
  expect(await exists(place.at(`${THUMBS}/not-this.png`))).toBe(false);
});

it('goes on in a watched folder that was deleted and created again before anybody looked', async () => {
  const place = await workplace();
  await place.put({ 'inbox/sub/a.png': await picture(1) });
  const watch = watching(place, ['inbox']);
  await watch.caughtUp();
  // the new one may well have the number that the file system gave the old one
  rmSync(place.at('inbox'), { recursive: true });
  mkdirSync(place.at('inbox'));
  await watch.row('it to be back', ({ type, state }) => type === 'folder' && state === 'back');
  await place.put({ 'inbox/b.png': await picture(2) });
  await watch.outcomes(2);
  expect(await watch.stop()).toBe(0);
});

/** Linux counts inotify watches by user namespace, where a limit can be set without disturbing others. */
const NAMESPACE = ['unshare', '--user', '--map-root-user', 'sh', '-c'];
const canLimit =
  spawnSync('unshare', [...NAMESPACE.slice(1), 'test -w /proc/sys/user/max_inotify_watches']).status === 0;

it.runIf(canLimit)(
  'names the remedy when the system has no more inotify watches, and misses nothing',
  async () => {
    const place = await workplace();
    await place.put({ 'inbox/one/a.png': await picture(1), 'inbox/two/b.png': await picture(2) });
    const limited = 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$@"';
    const watch = watching(place, ['inbox'], [...NAMESPACE, limited, 'sh']);
    const { error } = await watch.row('a problem', ({ type }) => type === 'problem');
    expect(error.message).toMatch(/sudo sysctl fs\.inotify\.max_user_watches=\d+.*--poll/);
    await until('people to be told', async () =>
      watch.errors().includes('sudo sysctl fs.inotify.max_user_watches='),
    );
    await watch.outcomes(2);
    await place.put({ 'inbox/one/c.png': await picture(3), 'inbox/two/d.png': await picture(4) });
    await watch.outcomes(4);
    expect(await watch.stop()).toBe(0);
  },
);

it('remembers what it told of when it is killed, leaves nothing half made, and goes on at the next start', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await picture(1), 'inbox/b.png': await heavyPicture(1, 2000) });
  const watch = watching(place, ['inbox', '-j', '1']);
  await watch.row('the first', ({ type }) => type === 'outcome');
  await watch.stop('SIGKILL');
  await place.put({ 'inbox/c.png': await picture(3) });
  const next = watching(place, ['inbox']);
  await next.caughtUp();
  await next.stop();
  const told = watch.rows.filter(({ type }) => type === 'outcome').map(({ source }) => source);
  const repeated = next.rows.filter(({ status, source }) => status === 'done' && told.includes(source));
  expect(repeated).toEqual([]);
  expect(await place.files(THUMBS)).toEqual(['a.png', 'b.png', 'c.png']);
});

it('drains at the first signal and leaves at once at the second', async () => {
  const place = await workplace();
  await place.put({ 'inbox/a.png': await heavyPicture(1), 'inbox/b.png': await heavyPicture(2) });
  const busy = async (...args: readonly string[]): Promise<Watching> => {
    const watch = watching(place, ['inbox', '--health-port', '0', '-j', '2', ...args]);
    const { health } = await watch.row('the start', ({ type }) => type === 'watching');
    await until('both to be in work', async () => {
      const answer = await fetch(`http://127.0.0.1:${health}/metrics`);
      return (await answer.text()).includes('imgtool_watch_running 2');
    });
    return watch;
  };
  // minutes of work, were it not for the second signal
  const hasty = await busy('--op', 'resize:width=1500', '--format', 'avif', '--effort', '9');
  hasty.child.kill('SIGTERM');
  await until('the first signal to be heard', async () =>
    hasty.errors().includes('once more leaves at once'),
  );
  // which a shell tells as 143
  expect(await hasty.stop('SIGTERM')).toBe('SIGTERM');
  expect(hasty.rows.map(({ type }) => type)).toEqual(['watching']);
  // some seconds, so that both are met in work
  const watch = await busy('--op', 'rotate:angle=10', '--out', 'turned');
  expect(await watch.stop('SIGINT')).toBe(0);
  expect(watch.rows.at(-1)).toMatchObject({ type: 'summary', done: 2 });
  expect(await place.files('turned')).toEqual(['a.png', 'b.png']);
});
