import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fixture, photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, server } from '../workshop.js';
import { DOORS, unharmed } from './doors.js';

const [photo = ''] = photos();
const SCRIPT = 'alert("from a picture")';
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>${SCRIPT}</script></svg>`;
const PAGE = `<!doctype html><script>${SCRIPT}</script>`;

/** A JPEG whose first comment is `text` (a COM segment right behind SOI). */
async function commented(text: string): Promise<Buffer> {
  const jpeg = await bytesOf(fixture('jpeg/baseline.jpg'));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length + 2);
  const segment = Buffer.concat([Buffer.from([0xff, 0xfe]), length, Buffer.from(text)]);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}

async function behind(path: string, tail: string | Buffer): Promise<Buffer> {
  return Buffer.concat([await bytesOf(path), Buffer.from(tail)]);
}

/** A ZIP archive with a page in it. */
async function archive(): Promise<Buffer> {
  const path = join(await tempDir(), 'a.zip');
  const script = 'import sys,zipfile; zipfile.ZipFile(sys.argv[1],"w").writestr("index.html", sys.argv[2])';
  execFileSync('python3', ['-c', script, path, PAGE]);
  return bytesOf(path);
}

type Bytes = () => Buffer | Promise<Buffer>;

/** Pictures with something else in them: what they are, and what the result must not have of it. */
const POLYGLOTS: readonly (readonly [string, Bytes, format: string, without: string])[] = [
  [
    'a GIF that is a script behind its end',
    () => behind(fixture('animated/distinct.gif'), `;${SCRIPT}`),
    'gif',
    SCRIPT,
  ],
  ['a JPEG that is a ZIP archive', async () => behind(photo, await archive()), 'jpeg', 'PK\x03\x04'],
  ['a PDF in the comment of a JPEG', () => commented(`%PDF-1.4\n1 0 obj<</JS(${SCRIPT})>>`), 'jpeg', '%PDF-'],
  ['a page in the comment of a JPEG', () => commented(PAGE), 'jpeg', SCRIPT],
  ['a PNG with a page behind its end', () => behind(fixture('png/rgb.png'), PAGE), 'png', SCRIPT],
  ['a PNG with an SVG behind its end', () => behind(fixture('png/rgb.png'), SVG), 'png', SCRIPT],
  ['a TIFF called PNG', () => bytesOf(fixture('tiff/deflate.tif')), 'tiff', '\x89PNG'],
  ['a WebP with noise behind its end', () => behind(fixture('webp/lossy.webp'), PAGE), 'webp', SCRIPT],
];

/** What is no picture that a server reads, whatever it is called. */
const FOREIGN: readonly (readonly [string, Bytes])[] = [
  ['SVG', () => Buffer.from(SVG)],
  ['SVG behind a long comment', () => Buffer.from(`<!--${'x'.repeat(9000)}-->${SVG}`)],
  ['SVG behind spaces', () => Buffer.from(`${' '.repeat(9000)}${SVG}`)],
  ['SVG, compressed', () => gzipSync(SVG)],
  ['PDF', () => bytesOf(fixture('pdf/one-page.pdf'))],
  ['a page', () => Buffer.from(PAGE)],
  ['a ZIP archive', archive],
  ['PPM', () => Buffer.from('P6\n1 1\n255\nabc')],
  ['FITS', () => Buffer.from(`SIMPLE  =                    T${' '.repeat(2850)}`)],
  ['a matrix of text', () => Buffer.from('2 2\n1 2\n3 4\n')],
  ['MIFF', () => Buffer.from('id=ImageMagick\nclass=DirectClass\ncolumns=1 rows=1\n:\x1aabc')],
  ['MVG', () => Buffer.from('push graphic-context\nimage over 0,0 0,0 "/etc/passwd"\npop graphic-context')],
];

it.each(POLYGLOTS)(
  '%s is what its first bytes say, over HTTP, and nothing else of it gets out',
  async (_, bytes, format, without) => {
    const at = await server();
    const body = new Uint8Array(await bytes());
    expect(Buffer.from(body).includes(without)).toBe(format !== 'tiff');
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${at.url}/v1/process?rotate=180`, { method: 'POST', body, headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`image/${format}`);
    const made = Buffer.from(await response.arrayBuffer());
    expect((await sharp(made).metadata()).format).toBe(format);
    expect(made.includes(without)).toBe(false);
    await unharmed(at);
  },
);

describe.each(DOORS)('%s', (name, opened) => {
  it('reads no bytes of foreign types, whatever they are called', async () => {
    const door = await opened();
    const codes: Record<string, string> = {};
    for (const [what, bytes] of FOREIGN) codes[what] = (await door.ask(await bytes(), {})).code;
    // the command line reads its user's own SVG
    const own = name === 'the command line' ? FOREIGN.filter(([what]) => /^SVG/.test(what)) : [];
    expect({ ...codes, ...Object.fromEntries(own.map(([what]) => [what, 'any'])) }).toEqual(
      Object.fromEntries(
        FOREIGN.map(([what]) => [what, own.some(([mine]) => mine === what) ? 'any' : 'E_UNSUPPORTED']),
      ),
    );
    await door.unharmed();
  });

  it('takes polyglots for the pictures they are', async () => {
    const door = await opened();
    for (const [what, bytes] of POLYGLOTS)
      expect(await door.ask(await bytes(), { steps: [{ op: 'thumbnail' }] }), what).toMatchObject({
        code: 'OK',
      });
    await door.unharmed();
  });
});
