import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { ACCOUNTING } from './measure.mjs';
import { peerVersions } from './peers.mjs';
import { ORIGIN } from './pictures.mjs';

/**
 * A bar: a figure that is to be at most, or at least, so much.
 * @typedef {{ text: string, value: number, most?: number, least?: number }} Bar
 * @typedef {Record<string, string | number>} Row
 * @typedef {{ rows: Row[], bars: Bar[], raw?: unknown }} Result
 */

const results = fileURLToPath(new URL('./results', import.meta.url));

/** The machine and the programs, as far as they bear on the figures. */
export function circumstances() {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMB: Math.round(totalmem() / 2 ** 20),
    load: loadavg()[0],
    node: process.version,
    sharp: sharp.versions.sharp,
    libvips: sharp.versions.vips,
    peers: peerVersions(),
    photographs: ORIGIN,
    accounting: ACCOUNTING,
  };
}

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** Prints a result as a table and its bars, and keeps it as JSON. */
export function report(name, result) {
  console.log(`\n${name}\n${tableText(result.rows)}`);
  for (const bar of result.bars) console.log(`  ${isMet(bar) ? 'met   ' : 'MISSED'} ${barText(bar)}`);
  mkdirSync(results, { recursive: true });
  const json = { name, ...circumstances(), ...result };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(json, null, 2)}\n`);
}

/** Whether a bar is reached. */
export function isMet({ value, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }) {
  return value <= most && value >= least;
}

function barText({ text, value, most, least }) {
  return `${text}: ${value.toFixed(2)} (${most === undefined ? `at least ${least}` : `at most ${most}`})`;
}

function tableText(rows) {
  const heads = Object.keys(rows[0] ?? {});
  const lines = [heads, ...rows.map((row) => heads.map((head) => cell(row[head])))];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const padded = (text, column) =>
    column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]);
  return lines.map((line) => `  ${line.map(padded).join('  ')}`).join('\n');
}

function cell(value) {
  if (value === undefined || Number.isNaN(value)) return '-';
  return typeof value === 'number' ? value.toFixed(2) : value;
}

/**
 * A table's row for each side, with its wall and CPU time as a share of another side's.
 * @param {Record<string, import('./measure.mjs').Cost>} sides
 * @param {string} against
 */
export function rowsAgainst(sides, against) {
  const base = sides[against];
  return Object.entries(sides).map(([side, { wall, cpu, rss }]) => ({
    side,
    'wall s': wall,
    'CPU s': cpu,
    'peak MB': rss,
    [`wall / ${against}`]: base ? wall / base.wall : Number.NaN,
    [`CPU / ${against}`]: base ? cpu / base.cpu : Number.NaN,
  }));
}
