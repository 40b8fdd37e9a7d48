import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, measured } from '../measure.mjs';
import { BARE, IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { rowsAgainst } from '../report.mjs';
import { inFreshFolder } from '../scratch.mjs';

/** Starts in a row in one measurement: a single one is too short to tell. */
const STARTS = 10;

/** What it costs to start: the version, and one small thumbnail. */
export async function run({ rounds = 5 }) {
  const folder = await made('startup', 1, { width: 640, height: 480 });
  const picture = join(folder, readdirSync(folder)[0]);
  const recipe = JSON.stringify({ steps: [['resize', 100, 100, { fit: 'inside' }]], quality: 80 });
  const sides = inTurn(
    {
      'bare node': () => repeated(() => [process.execPath, '-e', '0']),
      'imgtool --version': () => repeated(() => [...IMGTOOL, '--version']),
      'node + sharp, one picture': () => repeated((out) => [...BARE, picture, out, recipe]),
      'imgtool thumbnail, one picture': () =>
        repeated((out) => [...IMGTOOL, 'thumbnail', picture, '--out', out, '--quiet']),
    },
    rounds,
  );
  const ratio = (side, base) => sides[side].wall / sides[base].wall;
  return {
    rows: rowsAgainst(sides, 'bare node'),
    bars: [
      { text: 'imgtool --version / bare node', value: ratio('imgtool --version', 'bare node'), most: 1.3 },
      {
        text: 'imgtool thumbnail one.jpg / node + sharp',
        value: ratio('imgtool thumbnail, one picture', 'node + sharp, one picture'),
        most: 1.6,
      },
    ],
    raw: sides,
  };
}

function repeated(command) {
  return inFreshFolder((out) => {
    const lines = Array.from({ length: STARTS }, (_, index) => quoted(command(`${out}/${index}`)));
    const { wall, cpu, rss } = measured(['sh', '-c', lines.join(' && ')]);
    return { wall: wall / STARTS, cpu: cpu / STARTS, rss };
  });
}

function quoted(words) {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
