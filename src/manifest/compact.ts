import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { HEADER } from './entry.js';
import { LineReader } from './lines.js';
import { type Lock, tryLock } from './lock.js';
import { LogFile } from './log.js';
import { replay } from './replay.js';
import { OffsetTable } from './table.js';

const FEWEST_DEAD = 1000;
const BATCH = 256 << 10;

/** Whether so many of a log's records are superseded that it is worth writing anew. */
export function isWasteful(records: number, live: number): boolean {
  const dead = records - live;
  return dead > live && dead > FEWEST_DEAD;
}

/** Writes the log anew with its live lines only and says whether it did: not while another process is at it. */
export function compact(path: string): boolean {
  const lock = tryLock(`${path}.lock`);
  if (lock === undefined) return false;
  try {
    if (lock.after !== undefined) rmSync(temporaryOf(path, lock.after), { force: true });
    return rewrite(path, lock);
  } finally {
    lock.release();
  }
}

function rewrite(path: string, lock: Lock): boolean {
  const log = LogFile.open(path, 'read');
  if (log === undefined) return false;
  const temporary = temporaryOf(path, lock.token);
  try {
    const end = log.size;
    const to = openSync(temporary, 'ax', fstatSync(log.fd).mode & 0o777);
    try {
      copyLive(log, end, to);
      fsyncSync(to);
      if (log.standing === undefined || !lock.held()) return false;
      renameSync(temporary, path);
      copyRest(log, end, to);
      return true;
    } finally {
      closeSync(to);
    }
  } finally {
    log.release();
    rmSync(temporary, { force: true });
  }
}

function copyLive(log: LogFile, end: number, to: number): void {
  const table = new OffsetTable();
  replay(log.fd, 0, end, table, log.path);
  const reader = new LineReader(log.fd);
  let batch = HEADER;
  for (const offset of table.offsets()) {
    batch += `\n${reader.at(offset, end)}`;
    if (batch.length < BATCH) continue;
    writeWhole(to, Buffer.from(batch));
    batch = '';
  }
  writeWhole(to, Buffer.from(batch));
}

/**
 * Others append while we copy. An appender that looks after its write and finds the new file writes there again; one
 * that still found the old file wrote before the rename, so that now, after it, its lines can be seen and carried over.
 */
function copyRest(log: LogFile, end: number, to: number): void {
  const rest = Buffer.allocUnsafe(Math.max(0, log.size - end));
  if (rest.length > 0) writeWhole(to, rest.subarray(0, readSync(log.fd, rest, 0, rest.length, end)));
}

function writeWhole(to: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(to, bytes, done);
}

function temporaryOf(path: string, token: string): string {
  return `${path}.${token}.tmp`;
}
