import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { HEADER, parseLine } from './entry.js';
import { LineReader, NEWLINE } from './lines.js';
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

/** The lock of a log, held while it is written anew. */
export function lockOf(path: string): string {
  return `${path}.lock`;
}

/** Writes the log anew with its live lines only and says whether it did: not while another process is at it. */
export function compact(path: string): boolean {
  const lock = tryLock(lockOf(path));
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
    const to = openSync(temporary, 'ax', fstatSync(log.fd).mode & 0o777);
    try {
      const end = copyLive(log, to);
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

/** Gives where the rest of the old log begins: a last line that another process may still be writing belongs to it. */
function copyLive(log: LogFile, to: number): number {
  const table = new OffsetTable();
  const size = log.size;
  const { end } = replay(log.fd, 0, size, table, log.path);
  const reader = new LineReader(log.fd);
  let batch = HEADER;
  for (const offset of table.offsets()) {
    batch += `\n${reader.at(offset, size)}`;
    if (batch.length < BATCH) continue;
    writeWhole(to, Buffer.from(batch));
    batch = '';
  }
  writeWhole(to, Buffer.from(batch));
  return end;
}

/**
 * Others append while we copy. An appender that looks after its write and finds the new file waits for us to be done and
 * writes there again; one that still found the old file wrote before the rename, so that now, after it, its lines can be
 * seen and carried over. A last line that makes no sense is thus written again, or nobody's any more.
 */
function copyRest(log: LogFile, end: number, to: number): void {
  const bytes = Buffer.allocUnsafe(Math.max(0, log.size - end));
  const rest = bytes.subarray(0, readSync(log.fd, bytes, 0, bytes.length, end));
  const last = rest.lastIndexOf('\n') + 1;
  const isWhole = parseLine(rest.toString('utf8', last)) !== undefined;
  const whole = isWhole ? rest : rest.subarray(0, Math.max(0, last - 1));
  // it begins with the newline of its batch, unless with a line that was held back
  if (whole.length > 0)
    writeWhole(to, whole[0] === NEWLINE ? whole : Buffer.concat([Buffer.from('\n'), whole]));
}

function writeWhole(to: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(to, bytes, done);
}

function temporaryOf(path: string, token: string): string {
  return `${path}.${token}.tmp`;
}
