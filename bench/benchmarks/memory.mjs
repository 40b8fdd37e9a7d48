import { inTurn, measured } from '../measure.mjs';
import { IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { inFreshFolder } from '../scratch.mjs';

const LARGE = { width: 6000, height: 4000 };

/** Peak memory: large photographs, progressive ones among them, and whether many files need more than few. */
export async function run({ rounds = 3, files = 10_000 }) {
  const [baseline, progressive, few, many] = [
    await made('baseline', 24, LARGE),
    await made('progressive', 24, { ...LARGE, progressive: true }),
    await made('few', 100, { width: 160, height: 120 }),
    await made('many', files, { width: 160, height: 120 }),
  ];
  const sides = inTurn(
    {
      '24 baseline 24 MP, thumbnails': () => once(['thumbnail', baseline]),
      '24 baseline 24 MP, 1600 px': () => once(['resize', baseline, '--width', '1600']),
      '24 baseline and 24 progressive, thumbnails': () => once(['thumbnail', baseline, progressive]),
      '24 baseline and 24 progressive, 1600 px': () =>
        once(['resize', baseline, progressive, '--width', '1600']),
      '100 small files': () => once(['thumbnail', few]),
      [`${files} small files`]: () => once(['thumbnail', many]),
    },
    rounds,
  );
  const [thumbs, wide, mixed, mixedWide, hundred, thousands] = Object.values(sides).map(({ rss }) => rss);
  return {
    rows: Object.entries(sides).map(([run, { wall, cpu, rss }]) => ({
      run,
      'wall s': wall,
      'CPU s': cpu,
      'peak MB': rss,
    })),
    bars: [
      { text: 'baseline, MB', value: Math.max(thumbs, wide), most: 160 },
      { text: 'with progressive ones, MB', value: Math.max(mixed, mixedWide), most: 350 },
      { text: `${files} files / 100 files`, value: thousands / hundred, most: 1.1 },
    ],
    raw: sides,
  };
}

function once([command, ...args]) {
  return inFreshFolder((out) => measured([...IMGTOOL, command, ...args, '--out', out]));
}
