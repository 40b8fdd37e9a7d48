import { rmSync } from 'node:fs';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type EmbeddedOptions, type EmbeddedQueue, openEmbedded } from '../../src/jobs/embedded.js';
import { newId } from '../../src/jobs/ids.js';
import { whenFinished } from '../../src/jobs/wait.js';
import { tempDir } from '../support/fixtures.js';
import { EMPTY, Hands, jobOf } from './hands.js';
import { TurnedClock, turns } from './turned-clock.js';

const SECOND = 1000;

async function opened(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedQueue> {
  const queue = await openEmbedded({ folder: await tempDir(), grace: 0, ...options });
  onTestFinished(() => queue.close());
  return queue;
}

describe('a lease', () => {
  test('is renewed while the handler lives', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 2);
    const id = await queue.submit(jobOf());
    const held = await hands.next();
    await clock.pass(300 * SECOND);
    expect(hands.waiting).toBe(0);
    held.done();
    expect(await whenFinished(queue, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  test('that ran out gives the job to another, and what the first one says no longer counts', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 2);
    const id = await queue.submit(jobOf());
    const first = await hands.next();
    await clock.sleep(31 * SECOND);
    const second = await hands.next();
    expect(second.job).toMatchObject({ id, attempt: 1 });
    expect(first.signal.reason).toMatchObject({ code: 'E_TIMEOUT' });
    expect(second.signal.aborted).toBe(false);
    first.done({ outputs: [], value: 'first' });
    first.progress(0.9);
    await turns();
    expect(await queue.get(id)).toMatchObject({ state: 'running', progress: 0 });
    second.done({ outputs: [], value: 'second' });
    expect(await whenFinished(queue, id)).toMatchObject({ state: 'succeeded', value: 'second' });
    expect(await queue.counts()).toMatchObject({ lost: 1, finished: 1 });
  });

  test('that ran out while its end was on the way gives that end no effect', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 2);
    const id = await queue.submit(jobOf());
    const first = await hands.next();
    // more than one transaction holds: the end comes in the second, when another has claimed the job in the first
    const slept = clock.sleep(31 * SECOND);
    const others = Array.from({ length: 600 }, () => queue.cancel(newId(0)));
    first.done({ outputs: [], value: 'first' });
    const second = await hands.next();
    await Promise.all([slept, ...others]);
    expect(await queue.get(id)).toMatchObject({ state: 'running' });
    second.done({ outputs: [], value: 'second' });
    expect(await whenFinished(queue, id)).toMatchObject({ state: 'succeeded', value: 'second' });
  });

  test('lost by the only hand is taken up by it once it is free', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 1);
    const id = await queue.submit(jobOf());
    const first = await hands.next();
    await clock.sleep(31 * SECOND);
    expect(await queue.get(id)).toMatchObject({ state: 'queued' });
    first.done();
    (await hands.next()).done();
    expect(await whenFinished(queue, id)).toMatchObject({ state: 'succeeded' });
  });

  test('lost time and again fails the job: it may be what kills its workers', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 10);
    const id = await queue.submit(jobOf());
    for (let lost = 0; lost < 5; lost++) {
      await hands.next();
      await clock.sleep(31 * SECOND);
    }
    expect(await queue.get(id)).toMatchObject({ state: 'failed', error: { code: 'E_INTERNAL' } });
    expect(hands.waiting).toBe(0);
  });

  test('lost by a job that is being cancelled ends it', async () => {
    const clock = new TurnedClock();
    const queue = await opened({ clock });
    const hands = new Hands();
    void queue.work(hands.handle, 1);
    const id = await queue.submit(jobOf());
    await hands.next();
    await queue.cancel(id);
    await clock.sleep(31 * SECOND);
    expect(await queue.get(id)).toMatchObject({ state: 'cancelled' });
  });
});

describe('progress', () => {
  test('survives with the heartbeat, and its numbers never come again', async () => {
    const [folder, clock] = [await tempDir(), new TurnedClock()];
    const queue = await openEmbedded({ folder, clock, grace: 0 });
    const hands = new Hands();
    void queue.work(hands.handle, 1);
    const id = await queue.submit(jobOf());
    const held = await hands.next();
    held.progress(0.4);
    await clock.pass(11 * SECOND);
    const told = (await queue.get(id))?.changed ?? 0;
    expect((await queue.since(told - 1, 1)).events[0]).toMatchObject({ id: told, job: { progress: 0.4 } });
    held.progress(0.9);
    const last = (await queue.get(id))?.changed ?? 0;
    expect(last).toBeGreaterThan(told);
    await queue.close();
    const next = await opened({ folder, clock });
    await clock.pass(1);
    const after = await next.submit(jobOf());
    expect((await next.get(after))?.changed).toBeGreaterThan(last);
  });
});

describe('a result that is not in store', () => {
  test('fails the job rather than promise what is not there', async () => {
    const queue = await opened();
    const at = { kind: 'blob' as const, blob: newId(0) };
    void queue.work(
      async () => ({ outputs: [{ at, name: 'a', type: 'a/b', bytes: 1, width: 1, height: 1 }] }),
      1,
    );
    const id = await queue.submit(jobOf());
    expect(await whenFinished(queue, id)).toMatchObject({ state: 'failed', error: { code: 'E_INTERNAL' } });
  });
});

describe('a disk without the reserve', () => {
  test('refuses new jobs', async () => {
    const queue = await opened({ limits: { reserve: 2 ** 60 } });
    await expect(queue.submit(jobOf())).rejects.toMatchObject({ code: 'E_DISK_FULL' });
  });
});

describe('draining', () => {
  test('takes and starts no more, but answers, and lets what runs finish', async () => {
    const queue = await opened();
    const hands = new Hands();
    void queue.work(hands.handle, 1);
    const [running, waiting] = [await queue.submit(jobOf()), await queue.submit(jobOf())];
    const held = await hands.next();
    queue.drain();
    await expect(queue.submit(jobOf())).rejects.toMatchObject({ code: 'E_DRAINING' });
    held.done();
    expect(await whenFinished(queue, running)).toMatchObject({ state: 'succeeded' });
    await turns();
    expect(await queue.get(waiting)).toMatchObject({ state: 'queued' });
    expect(await queue.cancel(waiting)).toBe(true);
  });
});

describe('opening', () => {
  test('finds what a clean close left, with its numbers', async () => {
    const folder = await tempDir();
    const queue = await openEmbedded({ folder });
    void queue.work(async () => EMPTY, 2);
    const id = await queue.submit(jobOf());
    const end = await whenFinished(queue, id);
    await queue.submit(jobOf({ delay: 60 * SECOND, priority: 'idle', tenant: 'a' }));
    await queue.close();
    const next = await opened({ folder, limits: { tenantQueued: 1 } });
    expect(await next.get(id)).toEqual(end);
    const { depth } = await next.counts();
    expect([depth.succeeded.normal, depth.queued.idle]).toEqual([1, 1]);
    await expect(next.submit(jobOf({ tenant: 'a' }))).rejects.toMatchObject({ code: 'E_QUOTA' });
  });

  test('sweeps the files of no job, and nothing that is not its own', async () => {
    const folder = await tempDir();
    const blobs = join(folder, 'blobs');
    await mkdir(blobs);
    await Promise.all([newId(0), 'notes.txt'].map((name) => writeFile(join(blobs, name), 'x')));
    await (await openEmbedded({ folder })).close();
    expect(await readdir(blobs)).toEqual(['notes.txt']);
  });

  test('survives that the blobs are taken away before it has looked through them', async () => {
    const folder = await tempDir();
    const clock = new TurnedClock();
    const now = () => {
      rmSync(join(folder, 'blobs'), { recursive: true, force: true });
      return clock.now();
    };
    const queue = await openEmbedded({ folder, clock: { now, after: (...how) => clock.after(...how) } });
    await turns();
    await queue.close();
  });

  test('refuses a database of a newer version', async () => {
    const folder = await tempDir();
    await (await openEmbedded({ folder })).close();
    const { DatabaseSync } = await import('@photostructure/sqlite');
    const db = new DatabaseSync(join(folder, 'jobs.sqlite'));
    db.exec('PRAGMA user_version = 1000');
    db.close();
    await expect(openEmbedded({ folder })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('version 1000'),
    });
  });

  test('refuses a database of another program', async () => {
    const folder = await tempDir();
    const { DatabaseSync } = await import('@photostructure/sqlite');
    const db = new DatabaseSync(join(folder, 'jobs.sqlite'));
    db.exec('CREATE TABLE theirs (a)');
    db.close();
    await expect(openEmbedded({ folder })).rejects.toMatchObject({ code: 'E_CONFIG' });
  });

  test('refuses a file that is no database', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'jobs.sqlite'), 'a letter to nobody '.repeat(500));
    await expect(openEmbedded({ folder })).rejects.toMatchObject({ code: 'E_CONFIG' });
  });

  test('refuses a damaged database after a crash', async () => {
    const folder = await tempDir();
    const queue = await openEmbedded({ folder });
    await Promise.all(Array.from({ length: 300 }, () => queue.submit(jobOf())));
    await queue.close();
    const path = join(folder, 'jobs.sqlite');
    const file = await open(path, 'r+');
    for (let page = 3; page < 20; page++) await file.write(Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
    await file.close();
    await writeFile(`${path}-wal`, '');
    await expect(openEmbedded({ folder })).rejects.toMatchObject({ code: 'E_CONFIG' });
  });
});
