import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WIDE_LIMITS } from '../../dist/limits.js';
import { processImage } from '../../dist/process.js';
import { parseRecipe } from '../../dist/recipe.js';
import { imageService } from '../../dist/server/service.js';
import { tuneEngine } from '../../dist/versions.js';
import { median } from '../measure.mjs';
import { made } from '../pictures.mjs';

const SIDES = { 800: 1.1, 100: 1.15 };
const NEVER = new AbortController().signal;

/** What it costs to decode in a process of its own: one picture after the other, here and there in turn. `files` is their number. */
export async function run({ rounds = 5, files = 40 }) {
  tuneEngine();
  const folder = await made('isolation', files, { width: 4000, height: 3000 });
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const service = imageService({ env: process.env });
  const rows = [];
  const bars = [];
  for (const [side, most] of Object.entries(SIDES)) {
    const recipe = parseRecipe({ steps: [{ op: 'thumbnail', size: Number(side) }] });
    const here = (path) =>
      processImage({ kind: 'path', path }, recipe, { limits: WIDE_LIMITS, lenient: false, threads: 1 });
    const there = (path) => service.process(inputOf(path), recipe, NEVER);
    const times = { here: [], there: [] };
    for (let round = -1; round < rounds; round += 1) {
      const pair = { here: await timed(paths, here), there: await timed(paths, there) };
      for (const place of ['here', 'there']) if (round >= 0) times[place].push(pair[place]);
    }
    const [own, apart] = [median(times.here), median(times.there)];
    rows.push({
      picture: `12 megapixels to ${side} px`,
      'in this process, ms': own,
      'in its own, ms': apart,
    });
    bars.push({ text: `a process of its own / none, ${side} px`, value: apart / own, most });
  }
  await service.close();
  return { rows, bars };
}

/** Milliseconds a picture, one after the other. */
async function timed(paths, work) {
  const began = performance.now();
  for (const path of paths) await work(path);
  return (performance.now() - began) / paths.length;
}

let asked = 0;

/** No two alike, or they would share a run. */
function inputOf(path) {
  asked += 1;
  return { path, size: 0, identity: String(asked), hold: () => () => undefined };
}
