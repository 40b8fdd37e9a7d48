import { inTurn, measured } from '../measure.mjs';
import { BARE, IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { rowsAgainst } from '../report.mjs';
import { inFreshFolder } from '../scratch.mjs';

/** 100 px thumbnails of 8-megapixel progressive photographs: scans that an eighth does not use are never decoded. */
export async function run({ rounds = 3, files = 64 }) {
  const folder = await made('progressive', files, { width: 3456, height: 2304, progressive: true });
  const recipe = JSON.stringify({ steps: [['resize', 100, 100, { fit: 'inside' }]], quality: 80 });
  const sides = inTurn(
    {
      imgtool: () =>
        inFreshFolder((out) => measured([...IMGTOOL, 'resize', folder, '--thumb', '100', '--out', out])),
      'bare sharp': () =>
        inFreshFolder((out) =>
          measured([...BARE, folder, out, recipe], { env: { UV_THREADPOOL_SIZE: '8' } }),
        ),
    },
    rounds,
  );
  const { imgtool, 'bare sharp': bare } = sides;
  return {
    rows: rowsAgainst(sides, 'bare sharp'),
    bars: [{ text: 'CPU / bare sharp', value: imgtool.cpu / bare.cpu, most: 1 }],
    raw: sides,
  };
}
