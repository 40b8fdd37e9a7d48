import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { type ErrorCode, expected, ImgtoolError, toImgtoolError } from '../../errors.js';
import { makeFolder } from '../../io/folders.js';
import { migrate } from './schema.js';

/** An open database of this process alone. */
export type Database = DatabaseSyncInstance;

/**
 * Opens or makes the database at a path, for this process alone until it closes or dies: the lock is SQLite's own on the
 * file, which the system drops with the process. Throws E_DATA_IN_USE while another has it, E_CONFIG when the file is no
 * database of ours, damaged, or of a newer version.
 */
export async function openDatabase(path: string): Promise<Database> {
  const { DatabaseSync } = await import('@photostructure/sqlite');
  await makeFolder(dirname(path)).catch((thrown: unknown) => {
    throw toImgtoolError(thrown, 'E_WRITE', { file: dirname(path) });
  });
  // a clean close leaves no log behind
  const crashed = existsSync(`${path}-wal`);
  let db: Database | undefined;
  try {
    db = new DatabaseSync(path);
    prepareFile(db);
    if (crashed) checkWhole(db);
    migrate(db);
    return db;
  } catch (thrown) {
    if (db !== undefined) closeDatabase(db);
    throw databaseError(thrown, path);
  }
}

/**
 * Closes a database and lets go of its lock. Closing alone does not: this binding finalises no prepared statement, and
 * SQLite keeps a connection with statements, and its lock, until the last one is collected. So the lock is given up by
 * leaving the exclusive mode, which the log of a WAL has to be left for first.
 */
export function closeDatabase(db: Database): void {
  try {
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec('PRAGMA locking_mode = NORMAL');
    db.exec('SELECT 1 FROM sqlite_schema');
  } catch {
    // a file that was never ours, or a full disk: the log stays, and is replayed at the next start
  } finally {
    db.close();
  }
}

/** Moves the log into the database and cuts it off: on a full disk the log cannot grow to where SQLite does so by itself. */
export function emptyLog(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // no room for that either: the next try may find some
  }
}

/** Settings before the first look at the file: the lock has to be the exclusive one from the start. */
function prepareFile(db: Database): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA temp_store = MEMORY');
  // a log that grew in a rush gives its space back
  db.exec('PRAGMA journal_size_limit = 67108864');
  db.exec('BEGIN IMMEDIATE; COMMIT');
}

function checkWhole(db: Database): void {
  const [fault = 'ok'] = faults(db, 'quick_check');
  if (fault !== 'ok') throw new ImgtoolError('E_CONFIG', expected('an undamaged database of jobs', fault));
}

/** What SQLite finds wrong with its file, at most 100 sentences; none of a whole one. */
export function faults(db: Database, check: 'quick_check' | 'integrity_check'): string[] {
  const rows = db.prepare(`PRAGMA ${check}`).all() as readonly Record<string, string>[];
  return rows.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
}

/**
 * What SQLite says of its results (sqlite.org/rescode.html), for those that are no fault of ours. Its binding gives a
 * code with some errors and with all of them this text.
 */
const RESULTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'database is locked': [
    'E_DATA_IN_USE',
    'expected a data folder of its own, received one that another imgtool serve has open',
  ],
  'attempt to write a readonly database': [
    'E_PERMISSION',
    'expected a database that can be written, received a read-only one',
  ],
  'disk I/O error': ['E_WRITE', 'expected a disk that writes, received an I/O error'],
  'database disk image is malformed': [
    'E_CONFIG',
    'expected an undamaged database of jobs, received a damaged one; move it away to start anew',
  ],
  'database or disk is full': ['E_DISK_FULL', 'expected room for the job, received a full disk'],
  'unable to open database file': [
    'E_PERMISSION',
    'expected a data folder that can be written, received one where no file opens',
  ],
  'file is not a database': ['E_CONFIG', 'expected a database of jobs, received another kind of file'],
};

/** What SQLite threw as an error of ours; other errors of ours pass. */
export function databaseError(thrown: unknown, file?: string): ImgtoolError {
  const context = file === undefined ? {} : { file };
  const [code, message] = RESULTS[resultText(thrown)] ?? [];
  if (code !== undefined && message !== undefined) {
    return new ImgtoolError(code, message, { ...context, cause: thrown });
  }
  return toImgtoolError(thrown, 'E_INTERNAL', context);
}

function resultText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return '';
  return 'errstr' in thrown && typeof thrown.errstr === 'string' ? thrown.errstr : thrown.message;
}
