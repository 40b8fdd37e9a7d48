import { execFile } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImgtoolError } from '../../src/errors.js';
import { type FindOptions, type Found, find } from '../../src/io/find.js';
import { SORTED_UP_TO } from '../../src/io/listing.js';
import { MANIFEST_NAME } from '../../src/io/names.js';
import { Seen } from '../../src/io/seen.js';

let cwd: string;

beforeEach(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'imgtool-find-')));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** Empty files under the temporary folder, with the folders they need. */
async function files(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), '');
  }
}

interface Result {
  readonly found: readonly Found[];
  readonly names: readonly string[];
  readonly relatives: readonly string[];
  readonly problems: readonly ImgtoolError[];
  readonly codes: readonly string[];
  readonly unreadable: readonly string[];
}

async function search(args: readonly string[], options: Partial<FindOptions> = {}): Promise<Result> {
  const problems: ImgtoolError[] = [];
  const unreadable: string[] = [];
  const found: Found[] = [];
  const told: FindOptions = {
    cwd,
    recursive: true,
    onProblem: (error) => problems.push(error),
    onUnreadable: (type, name) => unreadable.push(`${type} ${name}`),
    ...options,
  };
  for await (const one of find(args, told)) found.push(one);
  const names = found.map((one) => one.name);
  const codes = problems.map((error) => `${error.code} ${error.stage} ${error.file}`);
  return { found, names, relatives: found.map((one) => one.relative), problems, codes, unreadable };
}

describe('a file named outright', () => {
  test('is tried whatever its extension, and kept relative to its own folder', async () => {
    await files('in/photo.xyz');
    const { found } = await search(['in/photo.xyz']);
    expect(found).toEqual([
      {
        path: join(cwd, 'in/photo.xyz'),
        name: 'in/photo.xyz',
        root: join(cwd, 'in'),
        argument: 0,
        relative: 'photo.xyz',
        explicit: true,
      },
    ]);
  });

  test('is taken also when it is hidden, of an unreadable type, or behind a link', async () => {
    await files('.hidden.jpg', 'phone.heic', 'real.jpg');
    await symlink('real.jpg', join(cwd, 'link.jpg'));
    const { names, unreadable } = await search(['.hidden.jpg', 'phone.heic', 'link.jpg', 'real.jpg']);
    expect(names).toEqual(['.hidden.jpg', 'phone.heic', 'link.jpg', 'real.jpg']);
    expect(unreadable).toEqual([]);
  });

  test.each([
    'a b.jpg',
    'ünï 画像 🦊.jpg',
    'line\nend.jpg',
    '--flag.jpg',
    'q\'uo"te$.jpg',
    '[1].jpg',
    '*.jpg',
    'tab\t.jpg',
    ' ',
  ])('is opened under the name %j', async (name) => {
    await files(name);
    const { found, codes } = await search([name]);
    expect(codes).toEqual([]);
    expect(found.map((one) => [one.path, one.relative, one.explicit])).toEqual([
      [join(cwd, name), name, true],
    ]);
  });

  test('may be absolute', async () => {
    await files('x.jpg');
    const { found } = await search([join(cwd, 'x.jpg')]);
    expect(found.map((one) => [one.name, one.root])).toEqual([[join(cwd, 'x.jpg'), cwd]]);
  });
});

describe('an argument that names nothing', () => {
  test('is reported and the others go on', async () => {
    await files('x.jpg');
    const { names, codes, problems } = await search(['gone.jpg', 'x.jpg', 'x.jpg/y.jpg']);
    expect(names).toEqual(['x.jpg']);
    expect(codes).toEqual(['E_NOT_FOUND find gone.jpg', 'E_NOT_FOUND find x.jpg/y.jpg']);
    expect(problems[0]?.message).toBe('expected an existing file, directory or pattern, received gone.jpg');
  });

  test('is never the current folder when it is empty', async () => {
    await files('x.jpg');
    const { names, codes } = await search(['']);
    expect([names, codes]).toEqual([[], ['E_NOT_FOUND find ']]);
  });

  test('says so when it is a link that leads nowhere or round in a circle', async () => {
    await symlink('gone.jpg', join(cwd, 'dangling.jpg'));
    await symlink('b.jpg', join(cwd, 'a.jpg'));
    await symlink('a.jpg', join(cwd, 'b.jpg'));
    const { codes } = await search(['dangling.jpg', 'a.jpg']);
    expect(codes).toEqual(['E_NOT_FOUND find dangling.jpg', 'E_READ find a.jpg']);
  });

  test('is thrown when nobody listens for problems', async () => {
    const search = find(['gone.jpg'], { cwd, recursive: true });
    await expect(search.next()).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      stage: 'find',
      file: 'gone.jpg',
    });
  });
});

describe('what is neither file nor directory', () => {
  test('is refused when named outright and passed over in a directory', async () => {
    await files('in/x.jpg');
    await promisify(execFile)('mkfifo', [join(cwd, 'in/pipe.jpg')]);
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(cwd, 'in/socket.jpg'), done));
    const named = await search(['in/pipe.jpg', 'in/socket.jpg', '/dev/null']);
    const walked = await search(['in']);
    await new Promise((done) => server.close(done));
    expect(named.names).toEqual([]);
    expect(named.problems.map((error) => `${error.code} ${error.message}`)).toEqual([
      'E_NOT_A_FILE expected a file or a directory, received a named pipe',
      'E_NOT_A_FILE expected a file or a directory, received a socket',
      'E_NOT_A_FILE expected a file or a directory, received a device',
    ]);
    expect([walked.names, walked.codes]).toEqual([['in/x.jpg'], []]);
  });
});

describe('a directory', () => {
  test('gives the files of known extension in any case, its own before those of its folders, sorted by code units', async () => {
    await files(
      'in/b.PNG',
      'in/a.jpg',
      'in/Z.Tiff',
      'in/notes.txt',
      'in/sub/c.webp',
      'in/Sub/d.gif',
      'in/sub/deep/e.avif',
      'in/none',
    );
    const { found, relatives, unreadable } = await search(['in']);
    expect(relatives).toEqual(['Z.Tiff', 'a.jpg', 'b.PNG', 'Sub/d.gif', 'sub/c.webp', 'sub/deep/e.avif']);
    expect(found.at(-1)).toEqual({
      path: join(cwd, 'in/sub/deep/e.avif'),
      name: 'in/sub/deep/e.avif',
      root: join(cwd, 'in'),
      argument: 0,
      relative: 'sub/deep/e.avif',
      explicit: false,
    });
    expect(unreadable).toEqual([]);
  });

  test('is named as the user would: from "." the bare path, from ".." the way up', async () => {
    await files('work/x.jpg', 'y.jpg');
    expect((await search(['.'])).names).toEqual(['y.jpg', 'work/x.jpg']);
    expect((await search(['..'], { cwd: join(cwd, 'work') })).names).toEqual(['../y.jpg', '../work/x.jpg']);
    expect((await search(['./work/'])).names).toEqual(['work/x.jpg']);
  });

  test('keeps to its own files when not recursive, through links as well', async () => {
    await files('in/a.jpg', 'in/sub/b.jpg');
    await symlink('sub', join(cwd, 'in/linked'));
    expect((await search(['in'], { recursive: false })).names).toEqual(['in/a.jpg']);
  });

  test('skips hidden entries unless asked, and is itself taken when hidden', async () => {
    await files('in/.a.jpg', 'in/.git/b.jpg', 'in/c.jpg', '.in/d.jpg');
    expect((await search(['in'])).relatives).toEqual(['c.jpg']);
    expect((await search(['in'], { hidden: true })).relatives).toEqual(['.a.jpg', 'c.jpg', '.git/b.jpg']);
    expect((await search(['.in'])).relatives).toEqual(['d.jpg']);
  });

  test('counts known pictures that this build does not read, by type and name', async () => {
    await files('in/a.HEIC', 'in/b.bmp', 'in/sub/c.nef', 'in/d.jpg', 'in/e.npy', 'in/.f.heic');
    const { relatives, unreadable } = await search(['in']);
    expect(relatives).toEqual(['d.jpg']);
    expect(unreadable).toEqual(['heic in/a.HEIC', 'bmp in/b.bmp', 'nef in/sub/c.nef']);
  });

  test('may hold names from hell', async () => {
    const names = [
      '\n.jpg',
      ' .jpg',
      '!.jpg',
      '$(x).jpg',
      '*.jpg',
      '-rf.jpg',
      '[a].jpg',
      '\\.jpg',
      '{a,b}.jpg',
      '\u00e9.jpg',
      'e\u0301.jpg',
      '🦊.jpg',
    ];
    await files(...names.map((name) => `in/dir ${name}/${name}`));
    const { relatives, codes } = await search(['in']);
    expect(relatives).toEqual(names.map((name) => `dir ${name}/${name}`).sort());
    expect(codes).toEqual([]);
  });

  test('without a picture gives nothing and is no error', async () => {
    await files('in/notes.txt');
    const { names, codes } = await search(['in']);
    expect([names, codes]).toEqual([[], []]);
  });
});

describe('links in a directory', () => {
  test('to files are taken under their own names', async () => {
    await files('in/real.jpg', 'out.jpg');
    await symlink('../out.jpg', join(cwd, 'in/outer.jpg'));
    await symlink('real.jpg', join(cwd, 'in/inner.jpg'));
    expect((await search(['in'])).relatives).toEqual(['inner.jpg', 'outer.jpg', 'real.jpg']);
  });

  test('to directories are followed once, after the real tree, so that real names win', async () => {
    await files('in/real/x.jpg', 'away/y.jpg', 'away/deep/z.jpg');
    await symlink('real', join(cwd, 'in/a-link-to-real'));
    await symlink('../away', join(cwd, 'in/first'));
    await symlink('../away/deep', join(cwd, 'in/second'));
    const { relatives } = await search(['in']);
    expect(relatives).toEqual(['real/x.jpg', 'first/y.jpg', 'first/deep/z.jpg']);
  });

  test('that loop, also two through one another, end', async () => {
    await files('in/a/x.jpg', 'in/b/y.jpg');
    await symlink('../b', join(cwd, 'in/a/to-b'));
    await symlink('../a', join(cwd, 'in/b/to-a'));
    await symlink('..', join(cwd, 'in/a/up'));
    await symlink('self', join(cwd, 'in/self'));
    const { relatives, codes } = await search(['in']);
    expect(relatives).toEqual(['a/x.jpg', 'b/y.jpg']);
    expect(codes).toEqual([]);
  });

  test('that lead nowhere are reported where they stand for a picture', async () => {
    await files('in/x.jpg');
    await symlink('gone', join(cwd, 'in/dangling.jpg'));
    await symlink('gone', join(cwd, 'in/dangling.txt'));
    const { relatives, codes } = await search(['in']);
    expect(relatives).toEqual(['x.jpg']);
    expect(codes).toEqual(['E_NOT_FOUND find in/dangling.jpg']);
  });

  test('may be the argument itself', async () => {
    await files('in/x.jpg');
    await symlink('in', join(cwd, 'linked'));
    const { found } = await search(['linked']);
    expect(found.map((one) => [one.name, one.root])).toEqual([['linked/x.jpg', join(cwd, 'linked')]]);
  });
});

describe('our own outputs', () => {
  test('are known by their manifest and skipped, except when named', async () => {
    await files('x.jpg', 'imgtool-out/thumb-100/x.jpg', `imgtool-out/thumb-100/${MANIFEST_NAME}`);
    expect((await search(['.'])).relatives).toEqual(['x.jpg']);
    expect((await search(['imgtool-out/thumb-100'])).relatives).toEqual(['x.jpg']);
    expect((await search(['**/*.jpg'])).relatives).toEqual(['x.jpg']);
    expect((await search(['imgtool-out/thumb-100/*.jpg'])).relatives).toEqual(['x.jpg']);
  });

  test('are known by the caller, who is asked with real paths', async () => {
    await files('in/x.jpg', 'in/done/y.jpg', 'elsewhere/z.jpg');
    await symlink('../elsewhere', join(cwd, 'in/link'));
    const asked: string[] = [];
    const exclude = (real: string): boolean => {
      asked.push(real);
      return basename(real) === 'done' || basename(real) === 'elsewhere';
    };
    expect((await search(['in'], { exclude })).relatives).toEqual(['x.jpg']);
    expect(asked).toEqual([join(cwd, 'in/done'), join(cwd, 'elsewhere')]);
    expect((await search(['in/**'], { exclude })).relatives).toEqual(['x.jpg']);
    expect((await search(['in/done'], { exclude })).relatives).toEqual(['y.jpg']);
  });
});

describe('what cannot be read', () => {
  /** Root reads everything, so the search then runs as another user for as long as it lasts. */
  async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      return await work();
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  }

  test.skipIf(process.platform === 'win32')(
    'is reported as a matter of permission, and the rest goes on',
    async () => {
      await files('in/a/x.jpg', 'in/locked/y.jpg', 'in/z/z.jpg');
      await chmod(cwd, 0o755);
      await chmod(join(cwd, 'in/locked'), 0o000);
      const [walked, matched, named] = await asOrdinaryUser(async () => [
        await search(['in']),
        await search(['in/**/*.jpg']),
        await search(['in/locked', 'in/locked/y.jpg']),
      ]);
      await chmod(join(cwd, 'in/locked'), 0o755);
      expect(walked.relatives).toEqual(['a/x.jpg', 'z/z.jpg']);
      expect(walked.codes).toEqual(['E_PERMISSION find in/locked']);
      expect(matched.relatives).toEqual(['a/x.jpg', 'z/z.jpg']);
      expect(matched.codes).toEqual(['E_PERMISSION find in/locked']);
      expect(named.codes).toEqual(['E_PERMISSION find in/locked', 'E_PERMISSION find in/locked/y.jpg']);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'because its name is no UTF-8 is reported, and the rest goes on',
    async () => {
      await files('in/x.jpg');
      const bad = Buffer.concat([Buffer.from(join(cwd, 'in/bad-')), Buffer.from([0xff, 0xfe])]);
      await writeFile(Buffer.concat([bad, Buffer.from('.jpg')]), '');
      await mkdir(bad);
      await writeFile(Buffer.concat([bad, Buffer.from('/y.jpg')]), '');
      const walked = await search(['in']);
      const matched = await search(['in/**/*.jpg']);
      const named = await search(['in/bad-\ufffd\ufffd.jpg']);
      expect([walked.relatives, matched.relatives]).toEqual([['x.jpg'], ['x.jpg']]);
      expect(walked.codes).toEqual(['E_READ find in/bad-��', 'E_READ find in/bad-��.jpg']);
      expect(matched.codes).toEqual(expect.arrayContaining([...walked.codes]));
      expect(named.codes).toEqual(['E_READ find in/bad-��.jpg']);
      expect(named.problems[0]?.message).toBe('expected a file name in UTF-8, received in/bad-��.jpg');
    },
  );
});

describe('a pattern', () => {
  test('is expanded relative to its fixed prefix, in a fixed order', async () => {
    await files('in/b.jpg', 'in/a.jpg', 'in/a.png', 'in/sub/c.jpg', 'in/sub/deep/d.jpg');
    const { found, relatives } = await search(['in/**/*.jpg']);
    expect(relatives).toEqual(['a.jpg', 'b.jpg', 'sub/c.jpg', 'sub/deep/d.jpg']);
    expect(found[2]).toEqual({
      path: join(cwd, 'in/sub/c.jpg'),
      name: 'in/sub/c.jpg',
      root: join(cwd, 'in'),
      argument: 0,
      relative: 'sub/c.jpg',
      explicit: false,
    });
    expect((await search(['in/s*/*.jpg'])).found.map((one) => [one.root, one.relative])).toEqual([
      [join(cwd, 'in'), 'sub/c.jpg'],
    ]);
    expect((await search([`${cwd}/in/*.png`])).names).toEqual([join(cwd, 'in/a.png')]);
    expect((await search(['../{a,b}.jpg'], { cwd: join(cwd, 'in/sub') })).found[1]).toMatchObject({
      name: '../b.jpg',
      root: join(cwd, 'in'),
      relative: 'b.jpg',
    });
  });

  test('is literal when it exists as it is written, whole or in its folders', async () => {
    await files('[a].jpg', 'a.jpg', 'trip [2024]/x.jpg', 'trip 2/x.jpg', 'shots (1)/y.jpg');
    expect((await search(['[a].jpg'])).names).toEqual(['[a].jpg']);
    const { found } = await search(['trip [2024]/*.jpg', 'shots (1)/*.jpg']);
    expect(found.map((one) => [one.root, one.relative])).toEqual([
      [join(cwd, 'trip [2024]'), 'x.jpg'],
      [join(cwd, 'shots (1)'), 'y.jpg'],
    ]);
    await unlink(join(cwd, '[a].jpg'));
    expect((await search(['[a].jpg'])).names).toEqual(['a.jpg']);
  });

  test('takes known extensions only, unless it spells another', async () => {
    await files('in/a.jpg', 'in/b.txt', 'in/c.heic', 'in/d.dat');
    const all = await search(['in/*']);
    expect([all.names, all.unreadable, all.codes]).toEqual([['in/a.jpg'], ['heic in/c.heic'], []]);
    expect((await search(['in/*.dat'])).names).toEqual(['in/d.dat']);
    expect((await search(['in/*.heic'])).unreadable).toEqual(['heic in/c.heic']);
  });

  test('understands braces (each file once), extended globs and escapes', async () => {
    await files('a.jpg', 'b.jpg', 'c.jpg', '!d.jpg', 'e*.jpg', 'ef.jpg', 'x/1.jpg', 'y/2.jpg');
    expect((await search(['{a,b,a}.jpg'])).names.toSorted()).toEqual(['a.jpg', 'b.jpg']);
    expect((await search(['{x,y}/*.jpg'])).relatives.toSorted()).toEqual(['x/1.jpg', 'y/2.jpg']);
    expect((await search(['@(a|c).jpg'])).names).toEqual(['a.jpg', 'c.jpg']);
    expect((await search(['!d*'])).names).toEqual(['!d.jpg']);
    expect((await search(['e\\*.jp*'])).names).toEqual(['e*.jpg']);
  });

  test('passes over hidden entries unless it spells their dot', async () => {
    await files('.a.jpg', '.b/c.jpg', 'd.jpg');
    expect((await search(['**/*.jpg'])).names).toEqual(['d.jpg']);
    expect((await search(['.*.jpg'])).names).toEqual(['.a.jpg']);
    expect((await search(['**/*.jpg'], { hidden: true })).names).toEqual(['.a.jpg', 'd.jpg', '.b/c.jpg']);
  });

  test('takes links to files, and ends on links that loop', async () => {
    await files('in/a/x.jpg', 'in/b/y.jpg');
    await symlink('../b', join(cwd, 'in/a/to-b'));
    await symlink('../a', join(cwd, 'in/b/to-a'));
    await symlink('a/x.jpg', join(cwd, 'in/link.jpg'));
    expect((await search(['in/**/*.jpg'])).relatives).toEqual(['link.jpg', 'a/x.jpg', 'b/y.jpg']);
  });

  test('that matches directories only has them walked, each once', async () => {
    await files('shoot-1/a.jpg', 'shoot-2/deep/b.jpg', 'other/c.jpg', 'shoot-2/notes.txt');
    const { found } = await search(['shoot-*']);
    expect(found.map((one) => [one.name, one.root, one.relative])).toEqual([
      ['shoot-1/a.jpg', cwd, 'shoot-1/a.jpg'],
      ['shoot-2/deep/b.jpg', cwd, 'shoot-2/deep/b.jpg'],
    ]);
    expect((await search(['shoot-*/'])).names).toEqual(found.map((one) => one.name));
    expect((await search(['**/dee[p]'])).names).toEqual(['shoot-2/deep/b.jpg']);
  });

  test('that matches nothing is reported as such', async () => {
    await files('x.jpg');
    const { names, codes, problems } = await search(['*.webp', 'gone/*.jpg', 'x.jpg']);
    expect(names).toEqual(['x.jpg']);
    expect(codes).toEqual(['E_NOTHING_MATCHED find *.webp', 'E_NOTHING_MATCHED find gone/*.jpg']);
    expect(problems[0]?.message).toBe('no file matched the pattern *.webp: expected at least 1, received 0');
  });

  test('has backslashes for separators on Windows only', async () => {
    await files('in/sub/x.jpg');
    const windows = await search(['in\\sub\\*.jpg'], { platform: 'win32' });
    expect(windows.found.map((one) => [one.root, one.relative])).toEqual([[join(cwd, 'in/sub'), 'x.jpg']]);
    const here = await search(['in\\sub\\*.jpg'], { platform: 'linux' });
    expect(here.codes).toEqual(['E_NOTHING_MATCHED find in\\sub\\*.jpg']);
  });
});

describe('several arguments', () => {
  test('keep their order and index', async () => {
    await files('b/x.jpg', 'a/y.jpg', 'z.jpg');
    const { found } = await search(['b', 'z.jpg', 'a/*']);
    expect(found.map((one) => [one.argument, one.name])).toEqual([
      [0, 'b/x.jpg'],
      [1, 'z.jpg'],
      [2, 'a/y.jpg'],
    ]);
  });

  test('give a file once, under the first that reaches it, whatever the way', async () => {
    await files('a/x.jpg', 'a/sub/y.jpg');
    await symlink('a', join(cwd, 'linked'));
    expect(
      (await search(['a', 'a/x.jpg', './a/../a', join(cwd, 'a'), 'linked', 'a/**/*.jpg'])).names,
    ).toEqual(['a/x.jpg', 'a/sub/y.jpg']);
    expect((await search(['a/sub', 'a'])).found.map((one) => [one.argument, one.name])).toEqual([
      [0, 'a/sub/y.jpg'],
      [1, 'a/x.jpg'],
    ]);
  });

  test('may share what was found before with another search', async () => {
    await files('x.jpg', 'y.jpg');
    const seen = new Seen();
    expect((await search(['x.jpg'], { seen })).names).toEqual(['x.jpg']);
    expect((await search(['.'], { seen })).names).toEqual(['y.jpg']);
  });
});

describe('an abort', () => {
  test('ends the search with E_CANCELLED, before it begins or on the way', async () => {
    await files('in/a.jpg', 'in/b.jpg');
    await expect(search(['in'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
    for (const argument of ['in', 'in/*']) {
      const controller = new AbortController();
      const found = find([argument], { cwd, recursive: true, signal: controller.signal });
      expect((await found.next()).value).toMatchObject({ relative: 'a.jpg' });
      controller.abort();
      await expect(found.next()).rejects.toMatchObject({ code: 'E_CANCELLED', stage: 'find' });
    }
  });
});

describe('a directory of 50,000 files', () => {
  const COUNT = 50_000;

  test('gives the first before the rest is read, and each once when read to the end', async () => {
    const big = join(cwd, 'big');
    await mkdir(big);
    await writeFile(join(big, '0.jpg'), '');
    // links to one file are quicker to make than files; a file has at most 65,000 of them on ext4
    for (let i = 1; i < COUNT; i += 500) {
      const batch = Array.from({ length: Math.min(500, COUNT - i) }, (_, k) => `${i + k}.jpg`);
      await Promise.all(batch.map((name) => link(join(big, '0.jpg'), join(big, name))));
    }
    const all = await search(['big']);
    expect(all.relatives.length).toBe(COUNT);
    expect(new Set(all.relatives).size).toBe(COUNT);

    const found = find(['big'], { cwd, recursive: true });
    const first = await found.next();
    expect(first.value).toMatchObject({ root: resolve(big) });
    for (const names = await readdir(big); names.length > 0; ) {
      await Promise.all(names.splice(0, 500).map((name) => unlink(join(big, name))));
    }
    // what is still found was read before the files went: the first batch, and what the system had read ahead
    let rest = 0;
    for await (const _ of found) rest++;
    expect(rest).toBeLessThan(SORTED_UP_TO + 5000);
    expect(rest).toBeGreaterThan(0);
  });
});

describe('the set of what was seen', () => {
  test('tells new from known over many doublings', () => {
    const seen = new Seen();
    const texts = Array.from({ length: 20_000 }, (_, i) => `/some/folder/${i}.jpg`);
    expect(texts.every((text) => seen.add(text))).toBe(true);
    expect(texts.some((text) => seen.add(text))).toBe(false);
    expect(seen.size).toBe(20_000);
  });
});
