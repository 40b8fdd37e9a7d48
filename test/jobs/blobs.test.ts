import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type BlobOwner, openBlobs } from '../../src/jobs/blobs.js';
import { tempDir } from '../support/fixtures.js';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('blobs', () => {
  test('hold bytes at once or as they come', async () => {
    const { store, bytes } = await openBlobs(await tempDir(), 100, 0).then(bare);
    const [whole, parts] = await Promise.all([
      store.put(Buffer.from('abc')),
      store.put(chunks('de', '', 'f')),
    ]);
    expect([whole.bytes, parts.bytes, bytes()]).toEqual([3, 3, 6]);
    expect(await readFile(store.path(whole.blob), 'utf8')).toBe('abc');
    expect(await readFile(store.path(parts.blob), 'utf8')).toBe('def');
    await Promise.all([store.discard(whole.blob), store.discard(parts.blob), store.discard(parts.blob)]);
    expect([existsSync(store.path(whole.blob)), bytes()]).toEqual([false, 0]);
  });

  test('take in a file that another process wrote at a place', async () => {
    const { store, bytes } = await openBlobs(await tempDir(), 100, 0).then(bare);
    const { blob, path } = store.place();
    await writeFile(path, 'result');
    expect(await store.keep(blob)).toEqual({ blob, bytes: 6 });
    await expect(store.keep(blob)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    const empty = store.place();
    await expect(store.keep(empty.blob)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    const unused = store.place();
    await writeFile(unused.path, 'half');
    await store.discard(unused.blob);
    expect([existsSync(path), existsSync(unused.path), bytes()]).toEqual([true, false, 6]);
  });

  test('stay under their cap together, and a refused one leaves nothing', async () => {
    const folder = await tempDir();
    const { store, bytes } = await openBlobs(folder, 10, 4).then(bare);
    const full = { code: 'E_QUEUE_FULL' };
    await expect(store.put(Buffer.alloc(7))).rejects.toMatchObject(full);
    await expect(store.put(chunks('abc', 'def', 'g'))).rejects.toMatchObject(full);
    const big = store.place();
    await writeFile(big.path, 'seven..');
    await expect(store.keep(big.blob)).rejects.toMatchObject(full);
    expect([await readdir(folder), bytes()]).toEqual([[], 4]);
    await expect(store.put(Buffer.alloc(6))).resolves.toMatchObject({ bytes: 6 });
  });

  test('taken by a job are its own once that is settled, and loose again when it is undone', async () => {
    const { store, ...owner } = await openBlobs(await tempDir(), 100, 0).then(bare);
    const [one, two] = [
      (await store.put(Buffer.from('abc'))).blob,
      (await store.put(Buffer.from('de'))).blob,
    ];
    expect(owner.take(one)).toBe(3);
    expect(() => owner.take(one)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
    owner.settle();
    owner.take(two);
    owner.undo();
    expect([one, two].map(owner.isLoose)).toEqual([false, true]);
    await Promise.all([store.discard(one), store.discard(two)]);
    expect([one, two].map((blob) => existsSync(store.path(blob)))).toEqual([true, false]);
  });

  test('refuse more bytes than the caller allows, and a stream that breaks leaves nothing', async () => {
    const folder = await tempDir();
    const { store, bytes } = await openBlobs(folder, 100, 0).then(bare);
    await expect(store.put(chunks('abc', 'def'), 5)).rejects.toMatchObject({ code: 'E_LIMIT_BYTES' });
    async function* broken() {
      yield Buffer.from('abc');
      throw new Error('connection reset');
    }
    await expect(store.put(broken())).rejects.toMatchObject({ message: 'connection reset' });
    expect([await readdir(folder), bytes()]).toEqual([[], 0]);
  });

  test.each(['../jobs.sqlite', '..', '', 'a/b', '01890a5d-ac96-774b-bcce-b302099a8057/..'])(
    'have no path for the name %j',
    async (name) => {
      const { store } = await openBlobs(await tempDir(), 100, 0);
      expect(() => store.path(name)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
    },
  );
});

/** The owner with its methods apart. */
function bare(owner: BlobOwner) {
  return {
    store: owner.store,
    bytes: () => owner.bytes(),
    isLoose: (blob: string) => owner.isLoose(blob),
    take: (blob: string) => owner.take(blob),
    settle: () => owner.settle(),
    undo: () => owner.undo(),
  };
}
