import { inTurn, measured } from '../measure.mjs';
import { IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { rowsAgainst } from '../report.mjs';
import { freshFolder } from '../scratch.mjs';

/** A second run over unchanged files, which only looks: every input and output by size and time. */
export async function run({ rounds = 5, files = 10_000 }) {
  const folder = await made('many', files, { width: 160, height: 120 });
  const out = freshFolder();
  const again = [...IMGTOOL, 'thumbnail', folder, '--out', out, '--quiet'];
  const first = measured(again);
  const sides = inTurn({ 'unchanged again': () => measured(again) }, rounds);
  const seconds = sides['unchanged again'].wall;
  return {
    rows: rowsAgainst({ first: { ...first, rounds: [first] }, ...sides }, 'first'),
    bars: [{ text: `seconds for ${files} unchanged files`, value: seconds, most: 1 }],
    raw: sides,
  };
}
