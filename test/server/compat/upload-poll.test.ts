import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, direct, server } from '../workshop.js';
import { ask, busy, compatServer, field, until } from './ground.js';

const [photo = ''] = photos();
const THUMBNAIL = { steps: [{ op: 'thumbnail', size: 100 }] };

/** A server with its bucket in a folder of the test's. */
async function atBucket(options: Parameters<typeof compatServer>[0] = {}) {
  const parent = await tempDir();
  const running = await compatServer({ ...options, compat: { bucketParent: parent, ...options.compat } });
  const create = (bytes: Uint8Array, name: string, key = 'image_data') => {
    const form = new FormData();
    form.set('note', 'a field more');
    form.set(key, new Blob([new Uint8Array(bytes)]), name);
    return ask(`${running.url}/create`, { method: 'POST', body: form });
  };
  const status = (id: string) => `${running.url}/status/${id}`;
  const ended = async (text: string) => {
    const said = await until(status(field(text, 'task_id')), (it) => /SUCCESS|FAILURE/.test(it.text));
    return said.text;
  };
  const uploads = () => readdir(join(parent, 'bucket/uploaded_img')).catch(() => []);
  return { ...running, parent, create, status, ended, uploads };
}

function small(): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 6, channels: 3, background: '#27a' } })
    .png()
    .toBuffer();
}

describe('POST /create', () => {
  it('keeps the upload and makes a thumbnail beside it', async () => {
    const { create, ended, parent } = await atBucket();
    const bytes = await bytesOf(photo);
    const said = await create(bytes, 'photo.jpg');
    expect(said.status).toBe(200);
    expect(said.headers.get('content-type')).toMatch(/^application\/json/);
    expect(said.text).toMatch(/^\{"status":"success","data":\{"task_id":"[0-9a-f-]{36}"\}\}$/);
    const { width = 0, height = 0 } = await sharp(bytes).metadata();
    const high = Math.round((height * 100) / width);
    expect(await ended(said.text)).toBe(
      `{"status":"SUCCESS","result":{"Original":{"file_path":"./bucket/uploaded_img/photo.jpg","Size":[${width},${height}]},` +
        `"Thumbnail":{"file_path":"./bucket/thumbnail_img/photo.jpg","Size":[100,${high}]}}}`,
    );
    expect((await readFile(join(parent, 'bucket/uploaded_img/photo.jpg'))).equals(bytes)).toBe(true);
    const made = await readFile(join(parent, 'bucket/thumbnail_img/photo.jpg'));
    expect(made.equals(await direct(bytes, THUMBNAIL))).toBe(true);
  });

  it.each([
    [613, 624, 98, 100],
    [1996, 830, 100, 42],
  ])('tells sides as shown: %ix%i gives %ix%i', async (width, height, wide, high) => {
    const { create, ended } = await atBucket();
    const stored = { create: { width: height, height: width, channels: 3, background: '#27a' } } as const;
    const turned = await sharp(stored).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const said = await ended((await create(turned, 'turned.jpg')).text);
    expect(said).toMatch(`"Size":[${width},${height}]`);
    expect(said).toMatch(`"Size":[${wide},${high}]`);
  });

  it('numbers repeated names, also of uploads that come at once', async () => {
    const { create, ended, uploads, parent } = await atBucket();
    const bytes = await small();
    const said = await Promise.all(Array.from({ length: 12 }, () => create(bytes, 'image.png')));
    const wanted = ['image.png', ...Array.from({ length: 11 }, (_, at) => `image_${at + 1}.png`)].sort();
    expect((await uploads()).sort()).toEqual(wanted);
    for (const { text } of said) expect(await ended(text)).toMatch('SUCCESS');
    expect((await readdir(join(parent, 'bucket/thumbnail_img'))).sort()).toEqual(wanted);
  });

  it.each([
    ['../../evil.png', 'evil.png'],
    ['..\\..\\evil.png', 'evil.png'],
    ['/etc/cron.d/evil.png', 'evil.png'],
    ['C:\\evil.png', 'evil.png'],
    ['..', 'image'],
    ['.htaccess', 'htaccess'],
    ['...png', 'png'],
    ['con.png', '_con.png'],
    ['LPT1', '_LPT1'],
    ['a:b*c?.png', 'a_b_c_.png'],
    ['<img src=x>.png', '_img src=x_.png'],
    ['gnp.\u202eevil.png', 'gnp.evil.png'],
    ['a\u0000b\u0007.png', 'ab.png'],
    ['Grüße 東京.png', 'Grüße 東京.png'],
    ['trailing.png. ', 'trailing.png'],
    [`${'长'.repeat(300)}.png`, `${'长'.repeat(65)}.png`],
    ['   ', 'image'],
  ])('keeps %j as %j', async (name, wanted) => {
    const { url, uploads, ended } = await atBucket();
    // by hand: FormData would write some of these in a form of its own
    const head = `--x\r\nContent-Disposition: form-data; name="image_data"; filename="${name.replaceAll('\\', '\\\\')}"\r\nContent-Type: image/png\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), await small(), Buffer.from('\r\n--x--\r\n')]);
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const said = await ask(`${url}/create`, { method: 'POST', headers, body });
    expect(said.text).toMatch('"status":"success"');
    expect(await ended(said.text)).toMatch('SUCCESS');
    expect(await uploads()).toEqual([wanted]);
  });

  it('refuses what has no image_data, and keeps nothing of it', async () => {
    const { url, create, uploads, service } = await atBucket();
    const bytes = await small();
    const answers = [
      await create(bytes, 'a.png', 'image'),
      await create(new Uint8Array(), 'a.png'),
      await ask(`${url}/create`, { method: 'POST', body: new Uint8Array(bytes) }),
      await ask(`${url}/create`, { method: 'POST' }),
      await ask(`${url}/create`, { method: 'POST', body: new URLSearchParams({ image_data: 'text' }) }),
      await ask(`${url}/create`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="image_data"; filename="a.png"\r\n\r\ncut short',
      }),
    ];
    for (const said of answers) {
      expect(said.status).toBe(500);
      expect(JSON.parse(said.text)).toEqual({
        status: 'FAILURE',
        message: expect.stringMatching(/./),
        data: null,
      });
      expect(said.text).toMatch(/^\{"status":"FAILURE","message":".*","data":null\}$/);
    }
    expect(await uploads()).toEqual([]);
    await expect.poll(() => readdir(service.spool.folder), { timeout: 30_000 }).toEqual([]);
  });

  it('refuses an upload that is too large, and keeps nothing of it', async () => {
    const { create, uploads, service } = await atBucket({ limits: { bytes: 1024 * 1024 } });
    const said = await create(new Uint8Array(2_000_000), 'a.png');
    expect(said.status).toBe(500);
    expect(said.text).toMatch(
      /^\{"status":"FAILURE","message":"expected at most 1 MiB, received more","data":null\}$/,
    );
    expect(await uploads()).toEqual([]);
    await expect.poll(() => readdir(service.spool.folder), { timeout: 30_000 }).toEqual([]);
  });

  it('keeps nothing of an upload that the queue has no room for', async () => {
    const running = await atBucket({ limits: { workers: 1 }, jobs: { limits: { queued: 1 } } });
    const free = await busy(running);
    const bytes = await small();
    const first = await running.create(bytes, 'a.png');
    const said = await running.create(bytes, 'b.png');
    expect([said.status, said.headers.get('retry-after') !== null]).toEqual([503, true]);
    expect(JSON.parse(said.text)).toMatchObject({ status: 'FAILURE', data: null });
    expect(await running.uploads()).toEqual(['a.png']);
    await free();
    expect(await running.ended(first.text)).toMatch('SUCCESS');
  });

  it('says so in the same form without a queue, and without a token', async () => {
    const compat = { names: ['upload-poll'], ttl: {} };
    const none = await ask(`${(await server({ compat })).url}/create`, { method: 'POST' });
    expect(none.status).toBe(503);
    expect(none.text).toBe(
      '{"status":"FAILURE","message":"queued work is off on this server; --jobs turns it on","data":null}',
    );
    const closed = await server({ compat, token: 'sesame' });
    const said = await ask(`${closed.url}/create`, { method: 'POST' });
    expect([said.status, said.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(said.text).toMatch(/^\{"status":"FAILURE","message":/);
  });

  it('keeps its bucket in the data folder when nothing else is said', async () => {
    const folder = await tempDir();
    const { url } = await compatServer({ jobs: { folder } });
    const form = new FormData();
    form.set('image_data', new Blob([new Uint8Array(await small())]), 'a.png');
    await ask(`${url}/create`, { method: 'POST', body: form });
    expect(existsSync(join(folder, 'bucket/uploaded_img/a.png'))).toBe(true);
  });
});

describe('GET /status/ID', () => {
  it('is PENDING while a task waits, and then SUCCESS', async () => {
    const running = await atBucket({ limits: { workers: 1 } });
    const free = await busy(running);
    const { text } = await running.create(await bytesOf(photo), 'photo.jpg');
    const said = await ask(running.status(field(text, 'task_id')));
    expect([said.status, said.text]).toEqual([200, '{"status":"PENDING","result":null}']);
    await free();
    expect(await running.ended(text)).toMatch('SUCCESS');
  });

  it('is STARTED while a task runs', async () => {
    const { desk, status } = await atBucket({ limits: { workers: 1 } });
    const { blob } = (await desk?.queue.blobs.put(await bytesOf(photo))) ?? { blob: '' };
    const job = await desk?.submit({
      kind: 'process',
      recipe: { outputs: [{ format: 'avif', effort: 9, quality: 90 }] },
      source: { kind: 'blob', blob },
      target: { kind: 'blob' },
      labels: { api: 'upload-poll' },
    });
    const said = await until(status(job?.id ?? ''), ({ text }) => text.includes('STARTED'));
    expect(said.text).toBe('{"status":"STARTED","result":null}');
    await desk?.queue.cancel(job?.id ?? '');
  });

  it('is FAILURE with a reason for what is no picture; the upload stays', async () => {
    const { create, ended, uploads, parent } = await atBucket();
    const said = await ended((await create(Buffer.from('no picture'), 'notes.jpg')).text);
    expect(said).toMatch(/^\{"status":"FAILURE","result":"expected a picture .*"\}$/);
    expect(said).not.toMatch(parent);
    expect(await uploads()).toEqual(['notes.jpg']);
  });

  it('is PENDING with null for an id that is unknown, or of another door', async () => {
    const { desk, status } = await atBucket();
    const source = { kind: 'path', path: 'none.jpg' } as const;
    const other = await desk?.submit({ kind: 'size', recipe: {}, source, target: { kind: 'blob' } });
    for (const id of ['nobody', '0190d7a4-4f6e-7000-8000-000000000000', `${other?.id}`, '..%2f..', '%00']) {
      const said = await ask(status(id));
      expect([said.status, said.text]).toEqual([200, '{"status":"PENDING","result":null}']);
    }
    expect((await ask(status(''))).status).toBe(404);
  });

  it('never forgets', async () => {
    const { create, ended, desk } = await atBucket({ jobs: { ttl: 1 } });
    const { text } = await create(await small(), 'a.png');
    await ended(text);
    expect((await desk?.find(field(text, 'task_id')))?.expiresAt).toBeUndefined();
  });
});
