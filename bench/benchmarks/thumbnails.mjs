import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, measured } from '../measure.mjs';
import { BARE, IMGTOOL, peer } from '../peers.mjs';
import { photographs } from '../pictures.mjs';
import { rowsAgainst } from '../report.mjs';
import { inFreshFolder } from '../scratch.mjs';

/** 100 px thumbnails of baseline photographs at JPEG quality 80, beside what else makes them. */
export async function run({ rounds = 5, files = 256 }) {
  const folder = await photographs(files);
  const sides = inTurn(
    {
      imgtool: () => imgtool(folder),
      'bare sharp': () => bare(folder),
      'vipsthumbnail x 2': peer('vipsthumbnail') && (() => vipsthumbnail(folder, 2)),
      'vipsthumbnail x 1': peer('vipsthumbnail') && (() => vipsthumbnail(folder, 1)),
    },
    rounds,
  );
  // far slower, so that one round says enough
  const slow = inTurn(
    {
      'sharp-cli': peer('sharp-cli') && (() => sharpCli(folder)),
      'GraphicsMagick x 1': peer('gm') && (() => graphicsMagick(folder)),
    },
    1,
  );
  return { rows: rowsAgainst({ ...sides, ...slow }, 'vipsthumbnail x 1'), bars: barsOf(sides), raw: sides };
}

function barsOf({ imgtool, 'vipsthumbnail x 1': one, 'vipsthumbnail x 2': two }) {
  if (one === undefined || two === undefined) return [];
  return [
    { text: 'wall / two vipsthumbnail side by side', value: imgtool.wall / two.wall, most: 0.95 },
    { text: 'wall / one vipsthumbnail', value: imgtool.wall / one.wall, most: 0.6 },
    { text: 'CPU / vipsthumbnail', value: imgtool.cpu / one.cpu, most: 1.05 },
  ];
}

function imgtool(folder) {
  return inFreshFolder((out) => measured([...IMGTOOL, 'resize', folder, '--thumb', '100', '--out', out]));
}

function bare(folder) {
  const recipe = { steps: [['resize', 100, 100, { fit: 'inside' }]], format: 'jpeg', quality: 80 };
  return inFreshFolder((out) =>
    measured([...BARE, folder, out, JSON.stringify(recipe)], { env: { UV_THREADPOOL_SIZE: '8' } }),
  );
}

/** So many processes side by side, each with its share of the files. */
function vipsthumbnail(folder, processes) {
  return inFreshFolder((out) => {
    mkdirSync(out);
    const names = readdirSync(folder);
    const commands = Array.from({ length: processes }, (_, process) => {
      const list = `${out}.${process}`;
      const share = names.filter((_name, index) => index % processes === process);
      writeFileSync(list, share.map((name) => join(folder, name)).join('\n'));
      return `xargs ${peer('vipsthumbnail')} -s 100x100 -o '${out}/%s.jpg[Q=80,strip]' < ${list} &`;
    });
    return measured(['sh', '-c', `${commands.join(' ')} wait`]);
  });
}

function sharpCli(folder) {
  return inFreshFolder((out) => {
    mkdirSync(out);
    const flags = ['-i', join(folder, '*.jpg'), '-o', out, '-q', '80'];
    return measured([peer('sharp-cli'), ...flags, 'resize', '100', '100', '--fit', 'inside']);
  });
}

function graphicsMagick(folder) {
  return inFreshFolder((out) => {
    mkdirSync(out);
    const resize = '-size 200x200 -auto-orient -thumbnail 100x100 -quality 80';
    const command = `gm mogrify -output-directory '${out}' ${resize} *.jpg`;
    return measured(['sh', '-c', command], { cwd: folder });
  });
}
