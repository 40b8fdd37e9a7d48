import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRunning } from '../io/temporary.js';

/** Milliseconds after which a lock is stale whoever holds it: its work takes seconds. */
export const STALE_AFTER = 10 * 60_000;

/** An exclusive right that lasts until it is released, or taken over as stale. */
export interface Lock {
  /** Sixteen hex digits nobody else has. */
  readonly token: string;
  /** The token of a dead holder this lock was taken over from. */
  readonly after: string | undefined;
  /** Whether it has not been taken over meanwhile. */
  held(): boolean;
  release(): void;
}

/** The lock that the file at `path` stands for, or undefined when somebody living holds it; never waits. */
export function tryLock(path: string): Lock | undefined {
  const token = randomBytes(8).toString('hex');
  if (createLock(path, token)) return lock(path, token, undefined);
  const holder = readHolder(path);
  if (holder === undefined || !isStale(holder) || !remove(path, holder, token)) return undefined;
  return createLock(path, token) ? lock(path, token, holder.token) : undefined;
}

/**
 * Waits until another process that holds the lock at `path` now no longer does, or is dead; ten seconds at most. It blocks,
 * as all work on the log does: what is done under the lock takes milliseconds.
 */
export function waitForHolder(path: string): void {
  const { token, pid, host } = readHolder(path) ?? {};
  // what an earlier process with our number left behind
  if (token === undefined || (pid === process.pid && host === hostname())) return;
  for (const until = Date.now() + LONGEST_WAIT; Date.now() < until; ) {
    const holder = readHolder(path);
    if (holder?.token !== token || isStale(holder)) return;
    Atomics.wait(SLEEP, 0, 0, 1);
  }
}

/** Milliseconds. */
const LONGEST_WAIT = 10_000;
const SLEEP = new Int32Array(new SharedArrayBuffer(4));

interface Holder {
  readonly token: string | undefined;
  readonly pid: number | undefined;
  readonly host: string | undefined;
  readonly age: number;
}

function lock(path: string, token: string, after: string | undefined): Lock {
  const held = () => readHolder(path)?.token === token;
  return { token, after, held, release: () => held() && rmSync(path, { force: true }) };
}

function createLock(path: string, token: string): boolean {
  try {
    writeFileSync(path, JSON.stringify({ token, pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const age = Date.now() - statSync(path).mtimeMs;
    const text = readFileSync(path, 'utf8');
    const token = /"token":"([0-9a-f]{16})"/.exec(text)?.[1];
    const pid = Number(/"pid":(\d+)/.exec(text)?.[1] ?? Number.NaN);
    return { token, pid: Number.isNaN(pid) ? undefined : pid, host: /"host":"([^"]*)"/.exec(text)?.[1], age };
  } catch {
    return undefined; // released between two looks: the next run has another chance
  }
}

function isStale({ pid, host, age }: Holder): boolean {
  return age > STALE_AFTER || (pid !== undefined && host === hostname() && !isRunning(pid));
}

/** Takes a stale lock away, unless another process was first and the file by now is that one's lock. */
function remove(path: string, judged: Holder, token: string): boolean {
  const aside = `${path}.${token}`;
  try {
    renameSync(path, aside);
    const same = readHolder(aside)?.token === judged.token;
    if (!same) linkSync(aside, path);
    return same;
  } catch {
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}
