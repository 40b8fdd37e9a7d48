import { inTurn, measured } from '../measure.mjs';
import { BARE, IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { inFreshFolder } from '../scratch.mjs';

const FILL = { width: 1024, height: 768, fit: 'fill' };
const SMALL = { width: 320, height: 240, fit: 'fill' };

/** The same work as an imgtool command and as a script of sharp's own. AVIF is kept small: it costs a hundred times the rest. */
const CHAINS = [
  {
    name: 'scale 1024x768 + grayscale',
    set: 'jpeg',
    args: ['run', '--op', 'scale:size=1024x768', '--op', 'grayscale'],
    recipe: { steps: [['resize', FILL], ['grayscale']], quality: 80 },
  },
  {
    name: 'rotate 90',
    set: 'jpeg',
    args: ['rotate', '--angle', '90'],
    recipe: { steps: [['rotate', 90]], quality: 80 },
  },
  {
    name: 'scale 1024x768 to WebP',
    set: 'jpeg',
    args: ['scale', '--format', 'webp'],
    recipe: { steps: [['resize', FILL]], format: 'webp', quality: 80 },
  },
  {
    name: 'scale 320x240 to AVIF',
    set: 'jpeg',
    args: ['scale', '--size', '320x240', '--format', 'avif'],
    recipe: { steps: [['resize', SMALL]], format: 'avif', quality: 50, effort: 4 },
  },
  {
    name: 'PNG, scale 320x240',
    set: 'png',
    args: ['scale', '--size', '320x240'],
    recipe: { steps: [['resize', SMALL]] },
  },
];

/** Operations other than thumbnails, against a bare sharp script that does the same. */
export async function run({ rounds = 3, files = 250 }) {
  const sets = {
    jpeg: await made('jpeg', files, { width: 1600, height: 1200 }),
    png: await made('png', files, { width: 1200, height: 900, format: 'png' }),
  };
  const results = CHAINS.map((chain) => ({ chain, ...both(chain, sets[chain.set], rounds) }));
  return {
    rows: results.map(({ chain, imgtool, bare }) => ({
      chain: chain.name,
      'imgtool wall s': imgtool.wall,
      'sharp wall s': bare.wall,
      'imgtool CPU s': imgtool.cpu,
      'sharp CPU s': bare.cpu,
      'imgtool MB': imgtool.rss,
      'sharp MB': bare.rss,
    })),
    bars: results.map(({ chain, imgtool, bare }) => ({
      text: `${chain.name}: wall / bare sharp (CPU ${(imgtool.cpu / bare.cpu).toFixed(2)})`,
      value: imgtool.wall / bare.wall,
      most: 1.05,
    })),
  };
}

function both({ args: [command, ...flags], recipe }, folder, rounds) {
  return inTurn(
    {
      imgtool: () => inFreshFolder((out) => measured([...IMGTOOL, command, folder, ...flags, '--out', out])),
      bare: () =>
        inFreshFolder((out) =>
          measured([...BARE, folder, out, JSON.stringify(recipe)], { env: { UV_THREADPOOL_SIZE: '8' } }),
        ),
    },
    rounds,
  );
}
