import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closedLoop } from '../load.mjs';
import { made } from '../pictures.mjs';
import { imgtoolServe } from '../servers.mjs';

/** Sides of a photograph of so many megapixels, 4 to 3. */
const MEGAPIXELS = [0.3, 1, 2, 4, 8, 12, 24, 48];
const PROMISES_MS = [100, 500, 2000];

/** Time to an 800 px JPEG by megapixels and bytes, asked by one client and by as many as there are decoders. */
export async function run({ rounds = 20 }) {
  const imgtool = await imgtoolServe(['--workers', '2']);
  const rows = [];
  try {
    for (const megapixels of MEGAPIXELS) {
      const picture = await photographOf(megapixels);
      const alone = await asked(imgtool, picture, rounds, 1);
      const full = await asked(imgtool, picture, rounds * 2, 2);
      rows.push({
        megapixels,
        MB: picture.length / 1e6,
        'p50 alone': alone.p50,
        'p99 alone': alone.p99,
        'p50 full': full.p50,
        'p99 full': full.p99,
      });
    }
  } finally {
    await imgtool.stop();
  }
  return { rows: [...rows, ...PROMISES_MS.map((ms) => promise(rows, ms))], bars: [] };
}

/** The largest picture of those measured whose p99 keeps a promise. */
function promise(rows, ms) {
  const largest = (column) =>
    Math.max(0, ...rows.filter((row) => row[column] <= ms).map((row) => row.megapixels));
  return {
    megapixels: `p99 <= ${ms} ms up to`,
    'p99 alone': largest('p99 alone'),
    'p99 full': largest('p99 full'),
  };
}

async function photographOf(megapixels) {
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3));
  const folder = await made('sla', 1, { width, height: Math.round((width * 3) / 4) });
  const [name] = readdirSync(folder);
  return readFileSync(join(folder, name));
}

async function asked({ url }, picture, requests, clients) {
  const items = Array.from({ length: requests }, (_, index) => {
    const end = Buffer.alloc(8);
    end.writeDoubleLE(Math.random() + index);
    // another picture each time, so that no run is shared
    return Buffer.concat([picture, end]);
  });
  const met = await closedLoop(items, clients, async (body) => {
    const response = await fetch(`${url}/v1/process?width=800`, { method: 'POST', body });
    await response.arrayBuffer();
    return response.ok ? 'answered' : 'failed';
  });
  if (met.failed > 0) throw new Error(`expected ${requests} answers, ${met.failed} failed`);
  return met;
}
