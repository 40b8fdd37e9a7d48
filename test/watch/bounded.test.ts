import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { WIDE_LIMITS } from '../../src/limits.js';
import { openManifest } from '../../src/manifest.js';
import { nameTemplate, TREE_TEMPLATE } from '../../src/naming.js';
import { recipeKeys } from '../../src/outputs.js';
import { inputPlaces } from '../../src/overlap.js';
import { parseRecipe } from '../../src/recipe.js';
import { attempt } from '../../src/watch/attempt.js';
import { Claims } from '../../src/watch/claims.js';
import { lookOf, statsAt } from '../../src/watch/steady.js';
import { type Order, startWatch, type WatchEvent, type WatchWork } from '../../src/watch.js';
import { type Workplace, workplace } from '../support/workplace.js';
import { picture, until } from './watcher.js';

async function workIn(place: Workplace): Promise<WatchWork> {
  const recipe = parseRecipe({ steps: [{ op: 'thumbnail', size: 20 }] });
  const path = place.at('out');
  const manifest = await openManifest(path);
  onTestFinished(() => manifest.close());
  return {
    naming: {
      recipe,
      template: nameTemplate(TREE_TEMPLATE),
      onCollision: 'fail',
      prefixes: new Map(),
      oneRoot: true,
    },
    destination: {
      kind: 'folder',
      path,
      manifest,
      ifExists: 'auto',
      force: false,
      verify: false,
      keys: recipeKeys(recipe, {}, false),
      inputs: await inputPlaces([place.at('in')], path),
    },
    keepTimes: false,
    process: { limits: WIDE_LIMITS, lenient: false, threads: 1 },
  };
}

it.each<Order>(['oldest', 'newest'])(
  'loses nothing of a burst far over what it holds, %s first',
  async (order) => {
    const place = await workplace();
    const bytes = await picture();
    await mkdir(place.at('in/sub'), { recursive: true });
    const burst = (from: number, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          writeFile(place.at(`in/${index % 2 === 0 ? '' : 'sub/'}${from + index}.png`), bytes),
        ),
      );
    await burst(0, 60);
    const events: WatchEvent[] = [];
    const watch = startWatch(
      {
        folders: [{ path: place.at('in'), name: 'in', argument: 0 }],
        recursive: true,
        work: await workIn(place),
        concurrency: 2,
        order,
        capacity: 8,
        stability: 20,
        tries: 2,
        retryDelay: 1,
        once: false,
        mirror: false,
        ignore: [],
        excluded: [place.at('out')],
      },
      (event) => void events.push(event),
    );
    let most = 0;
    const tooMany = setInterval(() => {
      most = Math.max(most, watch.state().waiting);
    }, 1);
    onTestFinished(() => clearInterval(tooMany));
    await until('to catch up', async () => events.some(({ type }) => type === 'caught-up'));
    await burst(60, 100);
    await until('all results', async () => (await place.files('out')).length === 160);
    watch.stop();
    await watch.ended;
    // those in work may come back to wait
    expect(most).toBeLessThanOrEqual(8 + 2);
    const done = events.filter((event) => event.type === 'outcome' && event.outcome.status === 'done');
    expect(done).toHaveLength(160);
  },
);

it('writes nothing of a picture that stands differently once its results are ready', async () => {
  const place = await workplace();
  await place.put({ 'in/a.png': await picture(1) });
  const path = place.at('in/a.png');
  const stats = await statsAt(path);
  if (stats === undefined) throw new Error('expected a file');
  const look = lookOf(path, stats);
  await place.put({ 'in/a.png': await picture(200, 50) });
  const folder = { path: place.at('in'), name: 'in', argument: 0 };
  const made = attempt({ folder, relative: 'a.png' }, look, await workIn(place), new Claims());
  await expect(made).rejects.toMatchObject({ code: 'E_CHANGED' });
  expect(await readdir(place.path)).toEqual(['in']);
});
