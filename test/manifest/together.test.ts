import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MANIFEST_NAME } from '../../src/io/names.js';
import { compact } from '../../src/manifest/compact.js';
import { STALE_AFTER, tryLock } from '../../src/manifest/lock.js';
import { openManifest, readManifest } from '../../src/manifest.js';
import { buildWriter, ended, entryOf, linesOf, startWriter, workshop } from './workshop.js';

let shop: Awaited<ReturnType<typeof workshop>>;
let writer: string;
let folder: string;
let log: string;
let tests = 0;
beforeAll(async () => {
  shop = await workshop();
  writer = await buildWriter(shop.folder);
});
beforeEach(async () => {
  folder = join(shop.folder, `out-${tests++}`);
  log = join(folder, MANIFEST_NAME);
  await mkdir(folder);
});
afterAll(() => shop.close());

async function sizes(): Promise<Map<string, number | undefined>> {
  const view = await readManifest(folder);
  expect(view.damaged).toBe(0);
  const found = new Map(Array.from(view.entries(), ({ output, made }) => [output, made?.size]));
  await view.close();
  return found;
}

describe('two runs at once', () => {
  test('lose nothing of each other, from the first line on', async () => {
    const runs = ['a', 'b', 'c'].map((prefix) => startWriter(writer, folder, prefix, 1500));
    expect(await Promise.all(runs.map(ended))).toEqual([0, 0, 0]);
    const found = await sizes();
    expect(found.size).toBe(4500);
    expect([...found.values()].every((size) => size === 1)).toBe(true);
    expect((await linesOf(log)).filter((line) => line.startsWith('{"imgtool'))).toEqual([
      '{"imgtool-manifest":1}',
    ]);
    expect(await readdir(folder)).toEqual([MANIFEST_NAME]);
  });

  test('see what the other recorded once they add to it', async () => {
    const [one, two] = [await openManifest(folder), await openManifest(folder)];
    one.record(entryOf('a.jpg', 1));
    one.flush();
    two.record(entryOf('b.jpg', 2));
    two.flush();
    expect(two.lookup('a.jpg')?.made?.size).toBe(1);
    one.record(entryOf('c.jpg', 3));
    one.flush();
    expect([one.size, one.lookup('b.jpg')?.made?.size, one.lookup('c.jpg')?.made?.size]).toEqual([3, 2, 3]);
    await one.close();
    await two.close();
  });
});

describe('a run killed at any moment', () => {
  test('keeps every output it had told of', async () => {
    for (const [run, told] of [1, 2, 3, 50, 333, 1200].entries()) {
      const child = startWriter(writer, folder, `run${run}`, 1_000_000);
      const end = ended(child);
      let last = -1;
      for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
        last = Number(line);
        if (last + 1 === told) child.kill('SIGKILL');
      }
      expect(await end).toBe('SIGKILL');
      const view = await readManifest(folder);
      for (let n = 0; n <= last; n++) expect(view.lookup(`run${run}/${n}.jpg`)?.made?.size).toBe(1);
      await view.close();
    }
    const after = await openManifest(folder);
    after.record(entryOf('after.jpg'));
    await after.close();
    const view = await readManifest(folder);
    expect(view.lookup('after.jpg')).toEqual(entryOf('after.jpg'));
    await view.close();
  });
});

describe('compaction', () => {
  test('comes by itself at the end of a run that left more dead lines than live ones', async () => {
    expect(await ended(startWriter(writer, folder, 'a', 400, 3))).toBe(0);
    expect(await linesOf(log)).toHaveLength(401);
    const found = await sizes();
    expect(found.size).toBe(400);
    expect([...found.values()].every((size) => size === 3)).toBe(true);
    expect(await readdir(folder)).toEqual([MANIFEST_NAME]);
  });

  test('over and over beside two runs that add to the log loses nothing of theirs', async () => {
    const enough = join(shop.folder, 'enough');
    const runs = ['a', 'b'].map((prefix) => startWriter(writer, folder, prefix, 300, 8, enough));
    let running = true;
    const all = Promise.all(runs.map(ended)).finally(() => {
      running = false;
    });
    for (let done = 0; running; await new Promise(setImmediate)) {
      if (existsSync(log) && compact(log)) done++;
      if (done === 20) await writeFile(enough, '');
    }
    expect(await all).toEqual([0, 0]);
    const found = await sizes();
    expect(found.size).toBe(600);
    for (const prefix of ['a', 'b']) {
      const rounds = [...found].flatMap(([output, size]) => (output.startsWith(prefix) ? [size] : []));
      expect([rounds.length, new Set(rounds).size]).toEqual([300, 1]);
      expect(rounds[0]).toBeGreaterThanOrEqual(8);
    }
  });

  test('by another leaves an open manifest working, on the new file', async () => {
    const manifest = await openManifest(folder);
    for (let n = 0; n < 50; n++) manifest.record(entryOf(`${n % 10}.jpg`, n));
    manifest.flush();
    const listing = manifest.entries()[Symbol.iterator]();
    expect(listing.next().value?.output).toBe('0.jpg');
    expect(compact(log)).toBe(true);
    expect(manifest.lookup('3.jpg')?.made?.size).toBe(43);
    manifest.record(entryOf('new.jpg', 7));
    manifest.flush();
    expect(manifest.lookup('3.jpg')?.made?.size).toBe(43);
    expect(listing.next().value).toEqual(entryOf('1.jpg', 41));
    listing.return?.();
    await manifest.close();
    expect(await linesOf(log)).toHaveLength(12);
    expect((await sizes()).get('new.jpg')).toBe(7);
  });

  test('by another is waited for, so that no older line that it carries over comes behind a newer one', async () => {
    const { made: _, ...claim } = entryOf('a.jpg');
    const manifest = await openManifest(folder);
    manifest.record(claim);
    const { size } = await stat(log);
    await link(log, `${log}.old`);
    // a compaction that ends once the manifest has written to the old log, with the claim carried over
    const script = `const { appendFileSync, rmSync, statSync } = require('node:fs');
      while (statSync(process.argv[1] + '.old').size === ${size});
      appendFileSync(process.argv[1], process.argv[2]);
      rmSync(process.argv[1] + '.lock');`;
    const line = `\n${JSON.stringify(claim)}`;
    const other = spawn(process.execPath, ['-e', script, log, line], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const end = ended(other);
    const token = '0123456789abcdef';
    await writeFile(`${log}.lock`, JSON.stringify({ token, pid: other.pid, host: hostname() }));
    await writeFile(`${log}.new`, '{"imgtool-manifest":1}');
    await rename(`${log}.new`, log);
    manifest.record(entryOf('a.jpg'));
    manifest.flush();
    expect(await end).toBe(0);
    await manifest.close();
    expect(await sizes()).toEqual(new Map([['a.jpg', 1]]));
  });

  test('is left to whoever holds the lock, and the log stays as it is', async () => {
    const manifest = await openManifest(folder);
    manifest.record(entryOf('a.jpg'));
    await manifest.close();
    const before = await stat(log);
    const lock = tryLock(`${log}.lock`);
    expect(lock?.held()).toBe(true);
    expect(compact(log)).toBe(false);
    expect((await stat(log)).ino).toBe(before.ino);
    lock?.release();
    expect(compact(log)).toBe(true);
  });
});

describe('a lock', () => {
  const token = '0123456789abcdef';
  test('of a dead process is taken over, with what it left', async () => {
    const child = startWriter(writer, folder, 'a', 1);
    await ended(child);
    await writeFile(`${log}.lock`, JSON.stringify({ token, pid: child.pid, host: hostname() }));
    await writeFile(`${log}.${token}.tmp`, 'half');
    expect(compact(log)).toBe(true);
    expect(await readdir(folder)).toEqual([MANIFEST_NAME]);
  });

  test('of another machine counts until it is old', async () => {
    const path = join(folder, 'lock');
    await writeFile(path, JSON.stringify({ token, pid: 1, host: 'elsewhere' }));
    expect(tryLock(path)).toBeUndefined();
    const old = (Date.now() - STALE_AFTER) / 1000 - 5;
    await utimes(path, old, old);
    const lock = tryLock(path);
    expect(lock?.after).toBe(token);
    expect(tryLock(path)).toBeUndefined();
    lock?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('taken over knows it is no longer held, and leaves the new one alone', async () => {
    const path = join(folder, 'lock');
    const lock = tryLock(path);
    await writeFile(path, JSON.stringify({ token, pid: process.pid, host: hostname() }));
    expect(lock?.held()).toBe(false);
    lock?.release();
    expect(await readdir(folder)).toEqual(['lock']);
  });
});
