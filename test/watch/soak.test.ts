import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { workplace } from '../support/workplace.js';
import { picture, until, watching } from './watcher.js';

const ARRIVALS = process.env.IMGTOOL_SOAK === undefined ? 1000 : 20_000;
const BURST = 125;
const FOLDERS = ['', 'one/', 'one/two/', 'three/'];
const THUMBS = 'imgtool-out/thumb-100';
const HANGS_AFTER = ARRIVALS * 90;

/** Numbers that look like chance and are the same in every run (Park and Miller's generator). */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

it(
  'comes, through bursts of arrivals and kills, to the very files of a fresh batch',
  async () => {
    const place = await workplace();
    const chance = chances(20_26);
    await mkdir(place.at('inbox'));
    let watch = watching(place, ['inbox']);
    let kills = 0;
    for (let first = 0; first < ARRIVALS; first += BURST) {
      const burst = Array.from({ length: BURST }, async (_, index) => {
        const number = first + index;
        // some names come again with other content
        const name = chance() < 0.1 ? number >> 1 : number;
        const folder = FOLDERS[name % FOLDERS.length];
        await mkdir(place.at(`inbox/${folder}`), { recursive: true });
        await writeFile(
          place.at(`inbox/${folder}${name}.png`),
          await picture(number % 256, 20 + (number % 37)),
        );
      });
      if (chance() < 0.5) {
        // in the middle of the burst, or of what it set off
        if (chance() < 0.5) await Promise.all(burst.slice(0, 40));
        await watch.stop('SIGKILL');
        kills += 1;
        watch = watching(place, ['inbox']);
      }
      await Promise.all(burst);
    }
    const inputs = await place.files('inbox');
    await until(
      'every picture to have its result',
      async () => (await place.files(THUMBS)).length === inputs.length,
    );
    await watch.caughtUp();
    expect(await watch.stop()).toBe(0);
    expect(kills).toBeGreaterThan(1);
    // what was replaced just before the end is taken up as well
    expect((await place.run(['watch', 'inbox', '--once'], { timeout: HANGS_AFTER })).code).toBe(0);
    const batch = ['thumbnail', 'inbox', '--out', 'fresh', '--quiet'];
    expect((await place.run(batch, { timeout: HANGS_AFTER })).code).toBe(0);
    expect(await place.files(THUMBS)).toEqual(await place.files('fresh'));
    for (const name of inputs) {
      const [kept, fresh] = await Promise.all([
        readFile(place.at(`${THUMBS}/${name}`)),
        readFile(place.at(`fresh/${name}`)),
      ]);
      expect(kept.equals(fresh), name).toBe(true);
    }
  },
  HANGS_AFTER,
);
