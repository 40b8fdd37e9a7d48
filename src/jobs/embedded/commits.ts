import { ImgtoolError } from '../../errors.js';
import { type Database, databaseError } from './database.js';

/** What happens around a commit. */
export interface CommitHooks {
  /** Called inside each transaction, after its changes. */
  before(): void;
  /** Called when a transaction is undone, with what was thrown. */
  undone(error: ImgtoolError): void;
}

/** The most changes in one transaction, so that other work gets its turn between two. */
const MOST = 500;

interface Waiting {
  /** Makes the change; gives what to tell once it is durable. */
  readonly change: () => () => void;
  readonly reject: (error: ImgtoolError) => void;
}

/**
 * Groups the changes of one turn of the event loop into one transaction, since a commit costs a flush of the disk and
 * its changes cost next to nothing. A promise resolves only after the commit that holds its change.
 */
export class Commits {
  readonly #db: Database;
  readonly #hooks: CommitHooks;
  #waiting: Waiting[] = [];
  #effects: (() => void)[] = [];
  #due = false;
  #closed = false;

  constructor(db: Database, hooks: CommitHooks) {
    this.#db = db;
    this.#hooks = hooks;
  }

  /** Makes a change in the next transaction. A change refuses by throwing an ImgtoolError before it writes anything. */
  run<T>(change: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closing());
    return new Promise<T>((resolve, reject) => {
      const attempt = () => {
        const value = change();
        return () => resolve(value);
      };
      this.#waiting.push({ change: () => refusable(attempt, reject), reject });
      this.wake();
    });
  }

  /** Has something done once the running transaction is durable; only to be called inside a change. */
  afterwards(effect: () => void): void {
    this.#effects.push(effect);
  }

  /** Makes the changes that wait, and refuses all that come with E_DRAINING. */
  close(): void {
    while (this.#waiting.length > 0) this.#commit();
    this.#closed = true;
  }

  /** Sees to it that there is a transaction soon, with changes or without. */
  wake(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      if (!this.#closed) this.#commit();
    });
  }

  #commit(): void {
    const batch = this.#waiting.splice(0, MOST);
    if (this.#waiting.length > 0) this.wake();
    this.#effects = [];
    const tellings = this.#attempt(batch);
    if (tellings !== undefined) for (const tell of [...this.#effects, ...tellings]) tell();
  }

  #attempt(batch: readonly Waiting[]): readonly (() => void)[] | undefined {
    try {
      return this.#transact(batch);
    } catch (thrown) {
      const error = databaseError(thrown);
      this.#hooks.undone(error);
      for (const { reject } of batch) reject(error);
      return undefined;
    }
  }

  #transact(batch: readonly Waiting[]): readonly (() => void)[] {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const tellings = batch.map(({ change }) => change());
      this.#hooks.before();
      this.#db.exec('COMMIT');
      return tellings;
    } catch (thrown) {
      // SQLite has undone it already when the disk is full
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw thrown;
    }
  }
}

function closing(): ImgtoolError {
  return new ImgtoolError('E_DRAINING', 'expected an open queue, received one that is closing');
}

function refusable(attempt: () => () => void, reject: (error: ImgtoolError) => void): () => void {
  try {
    return attempt();
  } catch (thrown) {
    if (thrown instanceof ImgtoolError) return () => reject(thrown);
    throw thrown;
  }
}
