import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const path = [
  ...(process.env.IMGTOOL_PEERS ?? '').split(delimiter),
  ...(process.env.PATH ?? '').split(delimiter),
];

/** The command line as built in this tree. */
export const IMGTOOL = [process.execPath, fileURLToPath(new URL('../bin/run.cjs', import.meta.url))];

/** A script of sharp's own, as good as sharp allows; see `bare.mjs`. */
export const BARE = [process.execPath, fileURLToPath(new URL('./bare.mjs', import.meta.url))];

/** Programs measured beside imgtool, with how to ask their version; sharp-cli's program is called sharp. */
const PEERS = {
  vipsthumbnail: ['vipsthumbnail', '--version'],
  gm: ['gm', 'version'],
  'sharp-cli': ['sharp', '--version'],
  ipx: ['ipx', '--version'],
  'redis-server': ['redis-server', '--version'],
};

/** @typedef {keyof typeof PEERS} Peer */

/**
 * The path of a peer's program, or undefined when it is not installed.
 * @param {Peer} name
 */
export function peer(name) {
  return path.map((folder) => join(folder, PEERS[name][0])).find((file) => existsSync(file));
}

/**
 * A peer's module, or undefined when it is not installed beside the peers' programs.
 * @param {string} name
 */
export async function peerModule(name) {
  for (const folder of path.filter((each) => each.endsWith('.bin'))) {
    const require = createRequire(join(folder, '..', 'peer.js'));
    try {
      return await import(pathToFileURL(require.resolve(name)).href);
    } catch {
      // not in this one
    }
  }
  return undefined;
}

/** Each peer's version, or that it is absent. */
export function peerVersions() {
  return Object.fromEntries(Object.entries(PEERS).map(([name, [, flag]]) => [name, versionOf(name, flag)]));
}

function versionOf(name, flag) {
  const program = peer(name);
  if (program === undefined) return 'absent';
  return spawnSync(program, [flag], { encoding: 'utf8' }).stdout.split('\n')[0].trim();
}
