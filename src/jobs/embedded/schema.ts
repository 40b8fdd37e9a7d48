import { expected, ImgtoolError } from '../../errors.js';
import type { Database } from './database.js';
import { selection } from './statement.js';

/** Marks the file as ours: "imgt". */
const APPLICATION = 0x69_6d_67_74;

/**
 * The steps from an empty file to today's tables; a file's version is the number of steps taken. A step that has been
 * released is never changed, a new one is added.
 *
 * `n` orders jobs by arrival, `changed` by their last change; both come from one count. `ready_at, n` is the order of a
 * queue, one for each tenant and level, so that a tenant at its limit is passed over without looking at its jobs.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE jobs (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    level INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT,
    work TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,
    ttl INTEGER,
    created_at INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    expires_at INTEGER,
    owner TEXT,
    lease_until INTEGER,
    cancel INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    error TEXT,
    result TEXT,
    changed INTEGER NOT NULL
  );
  CREATE INDEX queued ON jobs (tenant, level, ready_at, n) WHERE state = 'queued';
  CREATE INDEX running ON jobs (lease_until) WHERE state = 'running';
  CREATE INDEX kept ON jobs (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX by_state ON jobs (state, n, level, tenant);
  CREATE INDEX by_tenant ON jobs (tenant, n);
  CREATE INDEX by_change ON jobs (changed);
  CREATE UNIQUE INDEX alive ON jobs (tenant, key) WHERE key IS NOT NULL AND state IN ('queued', 'running');
  CREATE TABLE blobs (id TEXT PRIMARY KEY, n INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX blobs_of ON blobs (n, bytes);
  CREATE TABLE expired (id TEXT PRIMARY KEY, forget_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX forgotten ON expired (forget_at);
  `,
];

/** Takes a file's missing steps, all or none; throws E_CONFIG for a file of a newer version or of something else. */
export function migrate(db: Database): void {
  const version = selection<{ user_version: number }>(db, 'PRAGMA user_version').one()?.user_version ?? 0;
  const owner = selection<{ application_id: number }>(db, 'PRAGMA application_id').one()?.application_id ?? 0;
  checkOurs(db, version, owner);
  if (version === STEPS.length) return;
  db.exec('BEGIN IMMEDIATE');
  for (const step of STEPS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION}`);
  db.exec(`PRAGMA user_version = ${STEPS.length}`);
  db.exec('COMMIT');
}

function checkOurs(db: Database, version: number, owner: number): void {
  if (version > STEPS.length) {
    const newest = `a database of jobs of version ${STEPS.length} or older`;
    throw new ImgtoolError('E_CONFIG', expected(newest, `version ${version}, of a newer imgtool`));
  }
  if (owner === APPLICATION) return;
  const tables = selection<{ name: string }>(db, 'SELECT name FROM sqlite_schema LIMIT 1').one();
  if (owner === 0 && tables === undefined) return;
  throw new ImgtoolError('E_CONFIG', expected('a database of jobs', 'a database of another program'));
}
