import type { Database } from './database.js';

/** What a statement takes in. */
export type Parameter = string | number | null;

/** A prepared query; `R` is what its columns are said to be. */
export interface Selection<R> {
  one(...parameters: readonly Parameter[]): R | undefined;
  all(...parameters: readonly Parameter[]): readonly R[];
}

/** Prepares a query. Its text and `R` stand next to each other in the code that calls this; nothing else checks them. */
export function selection<R>(db: Database, sql: string): Selection<R> {
  const statement = db.prepare(sql);
  return {
    one: (...parameters) => statement.get(...parameters) as R | undefined,
    all: (...parameters) => statement.all(...parameters) as readonly R[],
  };
}

/** Prepares a change; calling it gives the number of rows changed. */
export function change(db: Database, sql: string): (...parameters: readonly Parameter[]) => number {
  const statement = db.prepare(sql);
  return (...parameters) => statement.run(...parameters).changes;
}
