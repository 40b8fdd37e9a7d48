import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What one command cost: wall and CPU time in seconds, its largest process's peak memory in megabytes.
 * @typedef {{ wall: number, cpu: number, rss: number }} Cost
 */

const GNU_TIME = '/usr/bin/time';
const hasTime =
  existsSync(GNU_TIME) && spawnSync(GNU_TIME, ['-f', '%M', 'true'], { encoding: 'utf8' }).status === 0;

/** What does the accounting, for the report. */
export const ACCOUNTING = hasTime ? 'GNU time (wait4)' : "bash's time (no peak memory)";

/**
 * Runs a command to its end and says what it cost, its children included. Throws when it fails.
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Cost}
 */
export function measured(command, { cwd, env = {} } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'imgtool-time-'));
  const note = join(scratch, 'note');
  try {
    const [program, ...args] = hasTime ? withGnuTime(command, note) : withBash(command, note);
    const started = performance.now();
    const ended = spawnSync(program, args, {
      cwd,
      env: { ...clean(process.env), ...env },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const wall = (performance.now() - started) / 1000;
    if (ended.status !== 0) throw new Error(`${command.join(' ').slice(0, 200)}: ${ended.stderr}`);
    const [user, system, kilobytes] = readFileSync(note, 'utf8').trim().split(/\s+/).map(Number);
    return { wall, cpu: user + system, rss: (kilobytes ?? Number.NaN) / 1024 };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function withGnuTime(command, note) {
  return [GNU_TIME, '-f', '%U %S %M', '-o', note, ...command];
}

function withBash(command, note) {
  return ['bash', '-c', `TIMEFORMAT='%U %S'; { time "$@" 2>&3; } 3>&2 2>"$0"`, note, ...command];
}

/** Certificates are read at the start of every node process, which is no part of what is measured. */
function clean({ NODE_EXTRA_CA_CERTS: _, ...rest }) {
  return rest;
}

/**
 * Runs every side once a round, in turn, and gives each side's medians; a side that gives nothing is absent.
 * @param {Record<string, (() => Cost) | undefined>} sides
 * @param {number} rounds
 * @returns {Record<string, Cost & { rounds: Cost[] }>}
 */
export function inTurn(sides, rounds) {
  const present = Object.entries(sides).filter(([, run]) => run !== undefined);
  const costs = Object.fromEntries(present.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of present) costs[name].push(run());
  }
  return Object.fromEntries(Object.entries(costs).map(([name, all]) => [name, medians(all)]));
}

function medians(rounds) {
  const of = (field) => median(rounds.map((cost) => cost[field]));
  return { wall: of('wall'), cpu: of('cpu'), rss: of('rss'), rounds };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
