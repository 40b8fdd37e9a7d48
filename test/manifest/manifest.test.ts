import { appendFile, cp, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compact } from '../../src/manifest/compact.js';
import {
  decide,
  type Entry,
  hashFile,
  localName,
  openManifest,
  portableName,
  readManifest,
} from '../../src/manifest.js';
import { entryOf, linesOf, workshop } from './workshop.js';

let shop: Awaited<ReturnType<typeof workshop>>;
beforeEach(async () => {
  shop = await workshop();
});
afterEach(() => shop.close());

async function recorded(...entries: readonly Entry[]): Promise<void> {
  const manifest = await openManifest(shop.folder);
  for (const entry of entries) manifest.record(entry);
  await manifest.close();
}

async function outputs(): Promise<string[]> {
  const view = await readManifest(shop.folder);
  const names = Array.from(view.entries(), ({ output }) => output);
  await view.close();
  return names;
}

describe('a manifest', () => {
  test('remembers from one run to the next, each detail as it was', async () => {
    const full: Entry = {
      output: 'ö/ "quoted"\n\\ 日本.jpg',
      source: { name: 'https://example.org/x', size: 0, mtimeMs: 1_700_000_000_123.4568, hash: 'ab' },
      key: 'k',
      made: { size: 7, mtimeMs: 0.001, hash: 'cd' },
      checkedAt: 1.5,
      notes: ['cut short'],
    };
    await recorded(full, entryOf('b.jpg'));
    const manifest = await openManifest(shop.folder);
    expect(manifest.size).toBe(2);
    expect(manifest.lookup(full.output)).toEqual(full);
    expect(manifest.lookup('none.jpg')).toBeUndefined();
    expect([...manifest.entries()]).toEqual([full, entryOf('b.jpg')]);
    await manifest.close();
    expect((await linesOf(shop.log))[0]).toBe('{"imgtool-manifest":1}');
  });

  test('answers at once, before and after what is buffered goes to the file', async () => {
    const manifest = await openManifest(shop.folder);
    manifest.record(entryOf('a.jpg', 1));
    expect(manifest.lookup('a.jpg')?.made?.size).toBe(1);
    manifest.flush();
    expect(manifest.lookup('a.jpg')?.made?.size).toBe(1);
    manifest.record(entryOf('a.jpg', 2));
    expect(manifest.lookup('a.jpg')?.made?.size).toBe(2);
    manifest.remove('a.jpg');
    expect(manifest.lookup('a.jpg')).toBeUndefined();
    expect(manifest.size).toBe(0);
    await manifest.close();
    expect(await outputs()).toEqual([]);
  });

  test('puts a claim into the file before it returns, with all that was buffered', async () => {
    const manifest = await openManifest(shop.folder);
    manifest.record(entryOf('a.jpg'));
    const { made: _, ...claim } = entryOf('b.jpg');
    manifest.record(claim);
    expect(await outputs()).toEqual(['a.jpg', 'b.jpg']);
    await manifest.close();
  });

  test('leaves no file and no folder behind when nothing was recorded', async () => {
    const folder = join(shop.folder, 'not', 'yet');
    const manifest = await openManifest(folder);
    expect([...manifest.entries()]).toEqual([]);
    await manifest.close();
    const view = await readManifest(folder);
    expect(view.lookup('a.jpg')).toBeUndefined();
    await view.close();
    expect(await readdir(shop.folder)).toEqual([]);
    const late = await openManifest(folder);
    late.record(entryOf('a.jpg'));
    await late.close();
    expect(await readdir(folder)).toHaveLength(1);
  });

  test('refuses an entry that leaves the folder or would not come back', async () => {
    const manifest = await openManifest(shop.folder);
    for (const output of ['../a.jpg', '/a.jpg', 'a/../../b.jpg', '', 'a//b', './a', 'a\0b']) {
      expect(() => manifest.record(entryOf(output))).toThrow(expect.objectContaining({ code: 'E_MANIFEST' }));
    }
    expect(() => manifest.record({ ...entryOf('a.jpg'), checkedAt: Number.NaN })).toThrow();
    await manifest.close();
    expect(await readdir(shop.folder)).toEqual([]);
  });

  test('of 100,000 outputs finds each one, in order and at random, and none besides', async () => {
    const nameOf = (n: number) => `photos/${n % 97}/IMG_${n}.jpg`;
    const all = Array.from({ length: 100_000 }, (_, n) => n);
    await recorded(...all.map((n) => entryOf(nameOf(n), n)));
    const manifest = await readManifest(shop.folder);
    expect(manifest.size).toBe(100_000);
    const isMissed = (n: number) => manifest.lookup(nameOf(n))?.made?.size !== n;
    expect(all.filter(isMissed)).toEqual([]);
    expect(all.slice(0, 2000).filter((n) => isMissed((n * 7919) % 100_000))).toEqual([]);
    expect(manifest.lookup(nameOf(100_000))).toBeUndefined();
    expect(Array.from(manifest.entries(), ({ made }) => made?.size)).toEqual(all);
    await manifest.close();
  });
});

describe('a damaged manifest', () => {
  test('torn at any byte of its last line loses that line only, and takes new ones', async () => {
    await recorded(entryOf('a.jpg'), entryOf('b.jpg'));
    const whole = await readFile(shop.log);
    const start = whole.lastIndexOf(0x0a);
    for (let cut = start; cut < whole.length; cut += 7) {
      await writeFile(shop.log, whole.subarray(0, cut));
      const torn = await readManifest(shop.folder);
      expect(torn.damaged).toBe(cut > start + 1 ? 1 : 0);
      await torn.close();
      await recorded(entryOf('c.jpg'));
      expect(await outputs()).toEqual(['a.jpg', 'c.jpg']);
    }
  });

  test('read while another writes a line counts that line once it is whole, and as damaged until then', async () => {
    await recorded(entryOf('a.jpg'));
    const line = Buffer.from(`\n${JSON.stringify(entryOf('é.jpg'))}`);
    for (let cut = 1; cut < line.length; cut += 5) {
      const view = await readManifest(shop.folder);
      await appendFile(shop.log, line.subarray(0, cut));
      view.refresh();
      view.refresh();
      expect([view.size, view.damaged]).toEqual([1, cut > 1 ? 1 : 0]);
      await appendFile(shop.log, line.subarray(cut));
      view.refresh();
      expect(view.lookup('é.jpg')).toEqual(entryOf('é.jpg'));
      expect([view.size, view.damaged]).toEqual([2, 0]);
      await view.close();
      await writeFile(shop.log, (await readFile(shop.log)).subarray(0, -line.length));
    }
  });

  test('compacted loses a torn last line, which nobody completes any more', async () => {
    await recorded(entryOf('a.jpg', 1), entryOf('b.jpg'));
    await recorded(entryOf('a.jpg', 2));
    await appendFile(shop.log, `\n${JSON.stringify(entryOf('c.jpg')).slice(0, 20)}`);
    expect(compact(shop.log)).toBe(true);
    expect(await linesOf(shop.log)).toHaveLength(3);
    await recorded(entryOf('d.jpg'));
    expect(await outputs()).toEqual(['b.jpg', 'a.jpg', 'd.jpg']);
  });

  test('with garbage in it keeps all else, and counts what it passed over', async () => {
    await recorded(entryOf('a.jpg', 1));
    const garbage = [
      '',
      'not json',
      '[]',
      'null',
      '{"output":5}',
      '{"output":"x.jpg"}',
      '\0'.repeat(5000),
      '{"output":"../x","removed":true}',
    ];
    await appendFile(shop.log, garbage.join('\n'));
    await appendFile(shop.log, `\n${JSON.stringify(entryOf('../../evil.jpg'))}\n${'z'.repeat(3 << 20)}`);
    await recorded(entryOf('b.jpg'));
    const view = await readManifest(shop.folder);
    expect(view.lookup('a.jpg')).toEqual(entryOf('a.jpg', 1));
    expect(view.damaged).toBeGreaterThanOrEqual(garbage.length);
    await view.close();
    expect(await outputs()).toEqual(['a.jpg', 'b.jpg']);
    expect(compact(shop.log)).toBe(true);
    expect(await outputs()).toEqual(['a.jpg', 'b.jpg']);
    expect(await linesOf(shop.log)).toHaveLength(3);
  });

  test('without its header, or empty, or with two, still serves', async () => {
    await writeFile(
      shop.log,
      `${JSON.stringify(entryOf('a.jpg'))}\n{"imgtool-manifest":1}\n{"imgtool-manifest":1}\n`,
    );
    await recorded(entryOf('b.jpg'));
    const manifest = await openManifest(shop.folder);
    expect(manifest.lookup('a.jpg')).toEqual(entryOf('a.jpg'));
    expect(manifest.size).toBe(2);
    await manifest.close();
    await writeFile(shop.log, '');
    await recorded(entryOf('c.jpg'));
    expect(await outputs()).toEqual(['c.jpg']);
  });

  test('emptied or removed under a run takes the rest of it', async () => {
    const manifest = await openManifest(shop.folder);
    manifest.record(entryOf('a.jpg'));
    manifest.flush();
    await writeFile(shop.log, '');
    manifest.record(entryOf('b.jpg'));
    manifest.flush();
    expect(manifest.lookup('b.jpg')).toEqual(entryOf('b.jpg'));
    expect(await outputs()).toEqual(['b.jpg']);
    await shop.close();
    manifest.record(entryOf('c.jpg'));
    await manifest.close();
    expect(await outputs()).toEqual(['c.jpg']);
  });

  test('of a newer version is left alone, and the way out is told', async () => {
    const newer = `{"imgtool-manifest":2}\n${JSON.stringify(entryOf('a.jpg'))}`;
    await writeFile(shop.log, newer);
    for (const open of [openManifest, readManifest]) {
      const refusal = expect.objectContaining({
        code: 'E_MANIFEST',
        file: shop.log,
        message: expect.stringMatching(/version 1.*version 2.*--no-manifest/),
      });
      await expect(open(shop.folder)).rejects.toThrow(refusal);
    }
    expect(await readFile(shop.log, 'utf8')).toBe(newer);
  });

  test('that is a folder or a link is not written to', async () => {
    await mkdir(shop.log);
    await expect(openManifest(shop.folder)).rejects.toMatchObject({ code: 'E_MANIFEST' });
    const other = join(shop.folder, 'other');
    await mkdir(other);
    await writeFile(join(shop.folder, 'precious'), 'mine');
    await symlink(join(shop.folder, 'precious'), join(other, '.imgtool-manifest.ndjson'));
    await expect(openManifest(other)).rejects.toMatchObject({ code: 'E_MANIFEST' });
    expect(await readFile(join(shop.folder, 'precious'), 'utf8')).toBe('mine');
  });
});

test('inputs and outputs moved together are known at their new place', async () => {
  const [here, there] = [join(shop.folder, 'here'), join(shop.folder, 'there', 'deep')];
  await mkdir(join(here, 'in'), { recursive: true });
  await mkdir(join(here, 'out'));
  await writeFile(join(here, 'in', 'a.jpg'), 'source');
  await writeFile(join(here, 'out', 'a.jpg'), 'output');
  await utimes(join(here, 'in', 'a.jpg'), 1_600_000_000.5, 1_600_000_000.5);
  const name = portableName(join(here, 'out'), join(here, 'in', 'a.jpg'));
  const look = async (root: string) => {
    const file = localName(join(root, 'out'), name);
    const [from, to] = [await stat(file), await stat(join(root, 'out', 'a.jpg'))];
    return {
      file,
      source: { name, size: from.size, mtimeMs: from.mtimeMs },
      output: { size: to.size, mtimeMs: to.mtimeMs },
      key: 'k',
    };
  };
  const { file, source, output: made, key } = await look(here);
  const manifest = await openManifest(join(here, 'out'));
  manifest.record({
    output: 'a.jpg',
    source: { ...source, hash: await hashFile(file) },
    key,
    made: { ...made, hash: await hashFile(join(here, 'out', 'a.jpg')) },
    checkedAt: Date.now(),
  });
  await manifest.close();

  await cp(here, there, { recursive: true, preserveTimestamps: true });
  await utimes(join(there, 'in', 'a.jpg'), 1_500_000_000, 1_500_000_000);
  await utimes(join(there, 'out', 'a.jpg'), 1_500_000_000, 1_500_000_000);
  const moved = await readManifest(join(there, 'out'));
  const entry = moved.lookup('a.jpg');
  await moved.close();
  const now = await look(there);
  expect(decide(entry, now)).toBe('check-source');
  const hashed = { ...now, source: { ...now.source, hash: await hashFile(now.file) } };
  expect(decide(entry, hashed)).toBe('check-output');
  const both = { ...hashed, output: { ...now.output, hash: await hashFile(join(there, 'out', 'a.jpg')) } };
  expect(decide(entry, both)).toBe('touched');
  expect(decide(entry, await look(here))).toBe('unchanged');
});
