import { inTurn, measured } from '../measure.mjs';
import { IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { rowsAgainst } from '../report.mjs';
import { inFreshFolder } from '../scratch.mjs';

const SIZES = [1600, 1200, 800, 400];

/** Eight results of one 12-megapixel photograph: from one decode, decoded anew in one process, and by eight commands. */
export async function run({ rounds = 5 }) {
  const folder = await made('outputs', 1, { width: 4000, height: 3000 });
  const sides = { ...costsOf('webp,jpeg', folder, rounds) };
  const avif = costsOf('avif,jpeg', folder, Math.min(rounds, 3));
  const { 'one decode': one, exact, 'eight commands': eight } = sides;
  return {
    rows: [
      ...rowsAgainst(sides, 'eight commands'),
      ...rowsAgainst(
        Object.fromEntries(Object.entries(avif).map(([name, cost]) => [`${name}, with AVIF`, cost])),
        'eight commands, with AVIF',
      ),
    ],
    bars: [
      { text: 'wall / eight commands', value: one.wall / eight.wall, most: 0.65 },
      { text: 'CPU / eight decodes in one process', value: one.cpu / exact.cpu, most: 0.8 },
    ],
    raw: { sides, avif },
  };
}

function costsOf(formats, folder, rounds) {
  const many = ['run', folder, '--sizes', SIZES.join(','), '--formats', formats];
  const once = (args) => inFreshFolder((out) => measured([...IMGTOOL, ...args, '--out', out, '--quiet']));
  return inTurn(
    {
      'one decode': () => once(many),
      exact: () => once([...many, '--exact']),
      'eight commands': () => added(eightCommands(formats, folder).map(once)),
    },
    rounds,
  );
}

function eightCommands(formats, folder) {
  return SIZES.flatMap((size) =>
    formats.split(',').map((format) => ['resize', folder, '--width', `${size}`, '--format', format]),
  );
}

/** Commands run one after another: their times add up, the largest counts for memory. */
function added(costs) {
  const sum = (field) => costs.reduce((total, cost) => total + cost[field], 0);
  return { wall: sum('wall'), cpu: sum('cpu'), rss: Math.max(...costs.map(({ rss }) => rss)) };
}
