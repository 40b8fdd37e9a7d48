import { copyFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FIXTURES } from '../../fixtures/manifest.js';
import { told } from '../operations/run.js';
import { fixture, tempDir } from '../support/fixtures.js';

const bad = FIXTURES.filter((each) => each.expect === 'fail' && each.format !== 'pdf').map(({ file }) =>
  fixture(file),
);

describe('a damaged or foreign file', () => {
  it('is refused, and the message says what it is in words a person knows', async () => {
    const outcomes = await told('thumbnail', bad);
    for (const { source, status, error } of outcomes) {
      expect(status, source).toBe('failed');
      expect(error?.code, source).toMatch(/^E_(DECODE|UNSUPPORTED|EMPTY)$/);
      expect(error?.message, source).toMatch(/^expected (a whole|a picture).*, received /);
      expect(error?.message, source).not.toMatch(
        /vips|failOn|unable to write|\/tmp|corrupt header|bad seek/i,
      );
    }
  });

  it('says how far a file that was cut goes', async () => {
    const cut = [
      'jpeg-cut-half.jpg',
      'jpeg-progressive-cut.jpg',
      'png-cut-half.png',
      'gif-cut-half.gif',
      'webp-cut-half.webp',
      'tiff-cut-half.tif',
      'avif-cut-half.avif',
      'avif-cut-in-header.avif',
    ];
    for (const { source, error } of await told(
      'thumbnail',
      cut.map((name) => fixture(`hostile/${name}`)),
    ))
      expect(error?.message, source).toMatch(
        /^expected a whole (JPEG|PNG|GIF|WEBP|TIFF|AVIF), received one cut short after \d+ bytes$/,
      );
  });

  it('is not taken for cut when all of it is there', async () => {
    const files = ['png-bad-crc-data.png', 'png-bad-adler.png', 'tiff-strip-outside.tif'].map((name) =>
      fixture(`hostile/${name}`),
    );
    for (const { source, error } of await told('thumbnail', files))
      expect(error?.message, source).toContain('received a damaged one');
  });

  it('of a camera is refused by what it is, whatever its name says', async () => {
    const path = `${await tempDir()}/camera.tif`;
    await copyFile(fixture('foreign/camera.nef'), path);
    for (const { source, error } of await told('thumbnail', [
      path,
      fixture('foreign/camera.nef'),
      fixture('foreign/camera.cr2'),
    ]))
      expect(error, source).toMatchObject({
        code: 'E_UNSUPPORTED',
        message: expect.stringMatching(/received (nef|cr2) data$/),
      });
  });
});

describe('--lenient', () => {
  it('takes what decodes of each kind and says so', async () => {
    const names = [
      'jpeg-cut-half.jpg',
      'png-cut-half.png',
      'png-bad-crc-data.png',
      'gif-cut-half.gif',
      'tiff-cut-half.tif',
    ];
    const files = names.map((name) => fixture(`hostile/${name}`));
    for (const { source, status, notes, outputs } of await told('thumbnail', files, ['--lenient'])) {
      expect(status, source).toBe('done');
      expect(notes?.join(), source).toContain('damaged, took what could be decoded');
      const { width, height } = await sharp(source, { failOn: 'none' }).metadata();
      const { data } = await sharp(outputs?.[0]?.path).raw().toBuffer({ resolveWithObject: true });
      expect(new Set(data).size, source).toBeGreaterThan(1);
      expect((outputs?.[0]?.width ?? 0) / (outputs?.[0]?.height ?? 1), source).toBeCloseTo(width / height, 1);
    }
  });

  it('cannot make a picture of what is none', async () => {
    const path = `${await tempDir()}/note.jpg`;
    await writeFile(path, 'only words');
    for (const { status, error } of await told(
      'thumbnail',
      [path, fixture('hostile/empty.jpg')],
      ['--lenient'],
    ))
      expect([status, error?.code]).toEqual(['failed', expect.stringMatching(/^E_(UNSUPPORTED|EMPTY)$/)]);
  });

  it('leaves a sound picture as it would be without', async () => {
    const [strict] = await told('thumbnail', [fixture('jpeg/baseline.jpg')]);
    const [lenient] = await told('thumbnail', [fixture('jpeg/baseline.jpg')], ['--lenient']);
    expect([lenient?.notes, lenient?.outputs?.[0]?.bytes]).toEqual([[], strict?.outputs?.[0]?.bytes]);
  });
});
