import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { inTurn, measured } from '../measure.mjs';
import { IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { inFreshFolder } from '../scratch.mjs';

const OPERATIONS = {
  thumbnail: ['thumbnail'],
  'resize 800': ['resize', '--width', '800'],
  'scale 1024x768': ['scale'],
  'rotate 90': ['rotate', '--angle', '90'],
  'rotate 7': ['rotate', '--angle', '7'],
  'mean 3': ['mean', '--size', '3'],
  'mean 51': ['mean', '--size', '51'],
  grayscale: ['grayscale'],
  size: ['size', '--quiet'],
};

const hasTaskset = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/**
 * Each operation's speed, and what bounds it: with all cores busy an operation that is bound by CPU is nearly as many
 * times faster as there are cores; one that is not waits for memory, when its CPU is busy all the same, or for files.
 */
export async function run({ rounds = 3, files = 60 }) {
  const folder = await made('operations', files, { width: 2400, height: 1600 });
  const rows = Object.entries(OPERATIONS).map(([name, command]) => row(name, command, folder, rounds, files));
  return { rows, bars: [] };
}

function row(name, command, folder, rounds, files) {
  const { all, one } = inTurn(
    {
      all: () => once(command, folder, []),
      one: hasTaskset ? () => once(command, folder, ['taskset', '-c', '0']) : undefined,
    },
    rounds,
  );
  const busy = all.cpu / all.wall;
  return {
    operation: name,
    'images/s': files / all.wall,
    'CPU %': Math.round(busy * 100).toString(),
    'peak MB': all.rss,
    'one core / all': one === undefined ? Number.NaN : one.wall / all.wall,
    'bound by': one === undefined ? '-' : boundBy(busy, one.wall / all.wall, one.cpu / all.cpu),
  };
}

function once([command, ...flags], folder, prefix) {
  return inFreshFolder((out) =>
    measured([
      ...prefix,
      ...IMGTOOL,
      command,
      folder,
      ...flags,
      ...(command === 'size' ? [] : ['--out', out]),
    ]),
  );
}

/** CPU time that grows when cores work side by side is time spent waiting for memory they share. */
function boundBy(busy, speedup, cpuAlone) {
  const cores = availableParallelism();
  if (cpuAlone < 0.8) return 'memory';
  if (speedup >= 0.8 * cores || busy >= 0.85 * cores) return 'CPU';
  return 'one thread';
}
