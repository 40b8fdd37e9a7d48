import { expected, ImgtoolError } from '../../errors.js';
import { JOB_STATES, type JobId, type JobState } from '../job.js';
import type { Changes, JobPage, ListQuery } from '../queue.js';
import { ROW, type Row, rowState } from './rows.js';
import { selection } from './statement.js';
import type { Store } from './store.js';

/** Reading jobs, outside of any change. */
export interface Listing {
  find(id: JobId): JobState | undefined;
  list(query: ListQuery): JobPage;
  since(id: number, limit: number): Changes;
}

const MOST = 1000;

/** Listing in a store. */
export function listing(store: Store): Listing {
  const { db } = store.parts;
  const find = selection<Row>(db, `SELECT ${ROW} FROM jobs WHERE id = ?`);
  const since = selection<Row>(db, `SELECT ${ROW} FROM jobs WHERE changed > ? ORDER BY changed LIMIT ?`);
  const page = (where: string) =>
    selection<Row>(db, `SELECT ${ROW} FROM jobs WHERE n < ?${where} ORDER BY n DESC LIMIT ?`);
  const pages = {
    all: page(''),
    state: page(' AND state = ?'),
    tenant: page(' AND tenant = ?'),
    both: page(' AND state = ? AND tenant = ?'),
  };
  const state = (row: Row) => rowState(row, store.live.get(row.n));

  function rows({ state: status, tenant }: ListQuery, before: number, limit: number): readonly Row[] {
    if (status === undefined && tenant === undefined) return pages.all.all(before, limit);
    if (status === undefined) return pages.tenant.all(before, tenant ?? '', limit);
    if (tenant === undefined) return pages.state.all(before, status, limit);
    return pages.both.all(before, status, tenant, limit);
  }

  return {
    find(id) {
      const row = find.one(id);
      return row && state(row);
    },
    list(query) {
      const limit = bounded(query.limit ?? 50);
      const found = rows(checkedState(query), cursorRow(query.cursor), limit + 1);
      const last = found.length > limit ? found[limit - 1] : undefined;
      return { jobs: found.slice(0, limit).map(state), ...(last && { next: last.n.toString(36) }) };
    },
    since(id, limit) {
      const found = since.all(id, bounded(limit) + 1);
      const events = found.slice(0, limit).map((row) => ({ id: row.changed, job: state(row) }));
      return { events, complete: found.length <= limit };
    },
  };
}

function bounded(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new ImgtoolError('E_USAGE', expected(`a whole number, 1 to ${MOST}`, limit), { field: 'limit' });
}

function checkedState(query: ListQuery): ListQuery {
  if (query.state === undefined || JOB_STATES.includes(query.state)) return query;
  throw new ImgtoolError('E_USAGE', expected(`one of ${JOB_STATES.join(', ')}`, query.state), {
    field: 'state',
  });
}

function cursorRow(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^[0-9a-z]{1,11}$/.test(cursor)) return Math.min(Number.parseInt(cursor, 36), Number.MAX_SAFE_INTEGER);
  throw new ImgtoolError('E_USAGE', expected('a cursor as it was given', cursor), { field: 'cursor' });
}
