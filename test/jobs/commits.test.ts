import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImgtoolError } from '../../src/errors.js';
import { Commits } from '../../src/jobs/embedded/commits.js';
import { closeDatabase, openDatabase } from '../../src/jobs/embedded/database.js';
import { change, selection } from '../../src/jobs/embedded/statement.js';
import { tempDir } from '../support/fixtures.js';

async function rig() {
  const db = await openDatabase(join(await tempDir(), 'test.sqlite'));
  onTestFinished(() => closeDatabase(db));
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  const told: string[] = [];
  const hooks = { before: () => told.push('before'), undone: ({ code }: ImgtoolError) => told.push(code) };
  const insert = change(db, 'INSERT INTO t VALUES (?)');
  const all = selection<{ a: number }>(db, 'SELECT a FROM t ORDER BY a');
  return { commits: new Commits(db, hooks), told, insert, rows: () => all.all().map(({ a }) => a) };
}

test('changes of one turn share a transaction, and are told once it is durable', async () => {
  const { commits, told, insert, rows } = await rig();
  const made = [1, 2, 3].map((n) =>
    commits.run(() => {
      insert(n);
      commits.afterwards(() => told.push(`after ${n}`));
      return n;
    }),
  );
  expect(rows()).toEqual([]);
  expect(await Promise.all(made)).toEqual([1, 2, 3]);
  expect(told).toEqual(['before', 'after 1', 'after 2', 'after 3']);
  expect(rows()).toEqual([1, 2, 3]);
});

test('a change that refuses leaves the others alone', async () => {
  const { commits, insert, rows } = await rig();
  const refused = commits.run(() => {
    throw new ImgtoolError('E_QUOTA', 'expected less');
  });
  const made = commits.run(() => insert(1));
  await expect(refused).rejects.toMatchObject({ code: 'E_QUOTA' });
  await made;
  expect(rows()).toEqual([1]);
});

test('a change that fails undoes them all, tells so, and does nothing that was to come after', async () => {
  const { commits, told, insert, rows } = await rig();
  const made = [1, 1].map((n) =>
    commits.run(() => {
      commits.afterwards(() => told.push('after'));
      insert(n);
    }),
  );
  const answers = await Promise.allSettled(made);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(told).toEqual(['E_INTERNAL']);
  expect(rows()).toEqual([]);
  await commits.run(() => insert(2));
  expect(rows()).toEqual([2]);
  expect(told).toEqual(['E_INTERNAL', 'before']);
});

test('closing makes the changes that wait and refuses those that come', async () => {
  const { commits, insert, rows } = await rig();
  const made = Array.from({ length: 1200 }, (_, n) => commits.run(() => insert(n)));
  commits.close();
  await Promise.all(made);
  expect(rows()).toHaveLength(1200);
  await expect(commits.run(() => insert(-1))).rejects.toMatchObject({ code: 'E_DRAINING' });
});
