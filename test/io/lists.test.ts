import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImgtoolError } from '../../src/errors.js';
import { type Found, find } from '../../src/io/find.js';
import { findListed, type ListOptions, readList } from '../../src/io/lists.js';
import { Seen } from '../../src/io/seen.js';

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const read = (...parts: readonly (string | Uint8Array)[]): Promise<string[]> =>
  all(readList(chunks(...parts)));

describe('a list', () => {
  test.each([
    ['lines', ['a.jpg\nb c.jpg\n'], ['a.jpg', 'b c.jpg']],
    ['lines without a last end', ['a.jpg\nb.jpg'], ['a.jpg', 'b.jpg']],
    ['Windows lines', ['a.jpg\r\nb.jpg\r\n'], ['a.jpg', 'b.jpg']],
    ['blank lines', ['\n\r\na.jpg\n\n\nb.jpg\n\r\n'], ['a.jpg', 'b.jpg']],
    [
      'NUL-separated paths with line ends in them',
      ['a\nb.jpg\0c\r\0\0d.jpg\0'],
      ['a\nb.jpg', 'c\r', 'd.jpg'],
    ],
    ['a NUL that comes in a later chunk', ['a\n', 'b.jpg', '\0c.jpg'], ['a\nb.jpg', 'c.jpg']],
    ['a byte order mark', ['\ufeffa.jpg\nb.jpg'], ['a.jpg', 'b.jpg']],
    ['a byte order mark before NUL-separated paths', ['\ufeffa.jpg\0b.jpg'], ['a.jpg', 'b.jpg']],
    ['blanks inside names, which stay', [' a .jpg \n\t\n'], [' a .jpg ', '\t']],
    ['nothing', [], []],
    ['an empty chunk', [''], []],
  ])('of %s', async (_, parts, expected) => {
    expect(await read(...parts)).toEqual(expected);
  });

  test('reads the same however it is cut into chunks', async () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    const clean = name.map((text) => `x${text.replaceAll(/[\0\n]/g, '_')}x`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(clean, { maxLength: 300 }),
        fc.constantFrom('\n', '\0', '\r\n'),
        fc.integer({ min: 1, max: 5000 }),
        async (names, separator, size) => {
          const bytes = Buffer.from(names.map((text) => text + separator).join(''));
          const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            bytes.subarray(i * size, (i + 1) * size),
          );
          expect(await read(...parts)).toEqual(names);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('starts before it has ended', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.from(`${sent++}.jpg\n`);
    }
    for await (const path of readList(endless())) {
      expect(path).toBe('0.jpg');
      break;
    }
    expect(sent).toBeLessThan(1000);
  });

  test('in UTF-16, or that is no list at all, is refused', async () => {
    const utf16 = Buffer.from('\ufeffa.jpg\r\n', 'utf16le');
    await expect(read(utf16)).rejects.toMatchObject({
      code: 'E_READ',
      stage: 'find',
      message: 'expected a list in UTF-8, received UTF-16',
    });
    await expect(read(Buffer.alloc(200_000, 'x'))).rejects.toMatchObject({ code: 'E_READ' });
  });

  test('that cannot be read says why', async () => {
    const gone = readList(createReadStream(join(tmpdir(), 'imgtool-no-such-list')));
    await expect(all(gone)).rejects.toMatchObject({ code: 'E_NOT_FOUND', stage: 'find' });
  });
});

describe('listed files', () => {
  let base: string;
  let cwd: string;

  beforeEach(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'imgtool-lists-')));
    cwd = join(base, 'work');
    await mkdir(join(cwd, 'in'), { recursive: true });
    await mkdir(join(base, 'work-beside'));
  });
  afterEach(() => rm(base, { recursive: true, force: true }));

  async function listed(
    names: readonly string[],
    options: Partial<ListOptions> = {},
  ): Promise<{ found: Found[]; problems: ImgtoolError[] }> {
    const problems: ImgtoolError[] = [];
    const onProblem = (error: ImgtoolError): void => {
      problems.push(error);
    };
    const paths = readList(chunks(names.join('\0')));
    const found = await all(findListed(paths, { cwd, recursive: true, onProblem, ...options }));
    return { found, problems };
  }

  test('inside the current folder are kept relative to it, others to their own folder', async () => {
    await writeFile(join(cwd, 'in/x.jpg'), '');
    await writeFile(join(base, 'work-beside/y.jpg'), '');
    const { found } = await listed(['in/x.jpg', '../work-beside/y.jpg'], { argument: 3 });
    expect(found).toEqual([
      {
        path: join(cwd, 'in/x.jpg'),
        name: 'in/x.jpg',
        root: cwd,
        argument: 3,
        relative: 'in/x.jpg',
        explicit: true,
      },
      {
        path: join(base, 'work-beside/y.jpg'),
        name: '../work-beside/y.jpg',
        root: join(base, 'work-beside'),
        argument: 3,
        relative: 'y.jpg',
        explicit: true,
      },
    ]);
  });

  test('are literal, whatever their names and extensions', async () => {
    const names = ['*.jpg', '..dots.jpg', '-x', 'new\nline.jpg', 'in/[a].dat'];
    for (const name of names) await writeFile(join(cwd, name), '');
    await writeFile(join(cwd, 'b.jpg'), '');
    const { found, problems } = await listed([...names, '?.jpg']);
    expect(found.map((one) => [one.relative, one.root])).toEqual(names.map((name) => [name, cwd]));
    expect(problems.map((error) => [error.code, error.file])).toEqual([['E_NOT_FOUND', '?.jpg']]);
  });

  test('are taken once, also where an argument gave them before', async () => {
    await writeFile(join(cwd, 'in/x.jpg'), '');
    await writeFile(join(cwd, 'in/y.jpg'), '');
    await symlink('in', join(cwd, 'linked'));
    const seen = new Seen();
    await all(find(['in/y.jpg'], { cwd, recursive: true, seen }));
    const { found } = await listed(['in/x.jpg', './in/x.jpg', 'linked/x.jpg', 'in/y.jpg'], { seen });
    expect(found.map((one) => one.name)).toEqual(['in/x.jpg']);
  });

  test('that are missing, or are directories, are reported and the others go on', async () => {
    await writeFile(join(cwd, 'x.jpg'), '');
    const { found, problems } = await listed(['gone.jpg', 'in', 'x.jpg']);
    expect(found.map((one) => one.name)).toEqual(['x.jpg']);
    expect(problems.map((error) => [error.code, error.stage, error.file])).toEqual([
      ['E_NOT_FOUND', 'find', 'gone.jpg'],
      ['E_NOT_A_FILE', 'find', 'in'],
    ]);
  });

  test('stop at an abort', async () => {
    await writeFile(join(cwd, 'x.jpg'), '');
    await expect(listed(['x.jpg'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
