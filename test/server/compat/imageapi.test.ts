import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fixture, photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, direct, server } from '../workshop.js';
import { ask, busy, compatServer, field, until } from './ground.js';

const NAME = '/ImageResize/images';
const [photo = ''] = photos();
const THUMBNAIL = { steps: [{ op: 'thumbnail', size: 100 }] };

/** A server over a folder that clients call {@link NAME}. */
async function atFolder(options: Parameters<typeof compatServer>[0] = {}) {
  const folder = await tempDir();
  const running = await compatServer({ roots: [`${NAME}=${folder}`], ...options });
  const api = (path: string): string => `${running.url}/imageapi?imagePath=${encodeURIComponent(path)}`;
  const post = (path: string) => ask(api(path), { method: 'POST' });
  const finished = (text: string) =>
    until(`${running.url}/result?jobId=${field(text, 'jobId')}`, ({ status }) => status === 200);
  return { ...running, folder, api, post, finished };
}

/** A picture of these sides. */
async function picture(path: string, width: number, height: number): Promise<void> {
  await sharp({ create: { width, height, channels: 3, background: '#27a' } }).toFile(path);
}

describe('GET /imageapi', () => {
  it('says that imagePath is missing', async () => {
    const { url } = await atFolder();
    for (const query of ['', '?', '?imagePath=', '?imagepath=x']) {
      const said = await ask(`${url}/imageapi${query}`);
      expect(said.status).toBe(400);
      expect(said.text).toBe('{"Result":"Does not specify imagePath parameter. Image request is invalid."}');
      expect(said.headers.get('content-type')).toMatch(/^application\/json/);
    }
  });

  it('queues a size job for an imagePath, whether there is a file or not', async () => {
    const { api } = await atFolder();
    const said = await ask(api(`${NAME}/a b+c.jpg`));
    expect(said.status).toBe(200);
    expect(said.text).toMatch(
      /^\{"Result":"Task: Get the size of image \[\/ImageResize\/images\/a b\+c\.jpg\] has been put into queue","jobId":"[0-9a-f-]{36}"\}$/,
    );
  });
});

describe('size jobs', () => {
  it('fail for a nonexistent path', async () => {
    const { api, finished } = await atFolder();
    const { text } = await finished((await ask(api(`${NAME}/none.jpg`))).text);
    expect(text).toBe('{"Height":-1,"Result":"Image file does not exist.","Width":-1}');
  });

  it('fail for a directory', async () => {
    const { api, finished, folder } = await atFolder();
    await mkdir(join(folder, 'sub'));
    for (const path of [NAME, `${NAME}/sub`, `${NAME}/sub/`]) {
      const { text } = await finished((await ask(api(path))).text);
      expect(text).toBe('{"Height":-1,"Result":"The given image path is not a file.","Width":-1}');
    }
  });

  it('fail for a file that is no picture', async () => {
    const { api, finished, folder } = await atFolder();
    await writeFile(join(folder, 'notes.jpg'), 'no picture');
    await writeFile(join(folder, 'empty.jpg'), '');
    for (const name of ['notes.jpg', 'empty.jpg']) {
      const { text } = await finished((await ask(api(`${NAME}/${name}`))).text);
      expect(text).toBe(
        '{"Height":-1,"Result":"The given image path is not a valid image format","Width":-1}',
      );
    }
  });

  it('tell the sides of a picture as it is shown', async () => {
    const { api, finished, folder } = await atFolder();
    await picture(join(folder, 'sample.jpg'), 1996, 830);
    await sharp(join(folder, 'sample.jpg'))
      .keepExif()
      .withMetadata({ orientation: 6 })
      .toFile(join(folder, 'turned.jpg'));
    const { text } = await finished((await ask(api(`${NAME}/sample.jpg`))).text);
    expect(text).toBe('{"Height":830,"Result":"Get the size of target image successfully.","Width":1996}');
    const turned = await finished((await ask(api('turned.jpg'))).text);
    expect(turned.text).toBe(
      '{"Height":1996,"Result":"Get the size of target image successfully.","Width":830}',
    );
  });
});

describe('POST /imageapi', () => {
  it('says that imagePath is missing', async () => {
    const { url } = await atFolder();
    const said = await ask(`${url}/imageapi`, { method: 'POST', body: 'imagePath=/a.jpg' });
    expect(said.status).toBe(400);
    expect(said.text).toBe('{"Result":"Does not specify imagePath parameter. Image request is invalid."}');
  });

  it('says that there is no file at a nonexistent path', async () => {
    const { post } = await atFolder();
    const said = await post(`${NAME}/none.jpg`);
    expect(said.status).toBe(400);
    expect(said.text).toBe('{"Resize":false,"Message":"Image file does not exist"}');
  });

  it('queues a job for a file, and lets its body pass', async () => {
    const { api, finished, folder } = await atFolder();
    await copyFile(photo, join(folder, 'sample.jpg'));
    const said = await ask(api(`${NAME}/sample.jpg`), {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: new Uint8Array(1_000_000),
    });
    expect(said.status).toBe(200);
    expect(said.text).toMatch(
      /^\{"Result":"Task: Resize image \[\/ImageResize\/images\/sample\.jpg\] has been put into queue","jobId":"[0-9a-f-]{36}"\}$/,
    );
    expect((await finished(said.text)).text).toMatch('"Resize":true');
  });

  it('queues a job for each picture directly in a directory', async () => {
    const { post, folder } = await atFolder();
    await mkdir(join(folder, 'sub', 'deeper'), { recursive: true });
    for (const name of ['a.jpg', 'c.webp']) await picture(join(folder, 'sub', name), 300, 200);
    await copyFile(fixture('png/rgb16.png'), join(folder, 'sub', 'b.PNG'));
    await picture(join(folder, 'sub', 'deeper', 'd.jpg'), 300, 200);
    for (const name of ['notes.txt', '.hidden.jpg', 'drawing.svg', 'photo.heic'])
      await writeFile(join(folder, 'sub', name), 'text');
    const said = await post(`${NAME}/sub/`);
    expect(said.status).toBe(200);
    expect(said.text).toBe(
      '{"Result":"[3] image resizing tasks have been put into queue. Please directly go to [/ImageResize/images/resized/] to check the results."}',
    );
    await expect
      .poll(() => readdir(join(folder, 'resized')).catch(() => []), { timeout: 30_000 })
      .toEqual(['a_resized.jpg', 'b_resized.PNG', 'c_resized.webp']);
  });
});

describe('resize jobs', () => {
  it('fail for a file that is no picture, and for one of a format that cannot be written', async () => {
    const { post, finished, folder } = await atFolder({ svg: true });
    await writeFile(join(folder, 'notes.jpg'), 'no picture');
    await copyFile(fixture('svg/corners.svg'), join(folder, 'drawing.svg'));
    for (const name of ['notes.jpg', 'drawing.svg']) {
      const { text } = await finished((await post(`${NAME}/${name}`)).text);
      expect(text).toBe('{"Resize":false,"Message":"The given image path is not a valid image format"}');
    }
    expect(await readdir(folder)).not.toContain('resized');
  });

  it('write what `imgtool thumbnail` writes beside the pictures, the same when asked again', async () => {
    const { post, finished, folder } = await atFolder();
    await copyFile(photo, join(folder, 'sample.jpg'));
    for (let times = 0; times < 2; times += 1) {
      const { text } = await finished((await post(`${NAME}/sample.jpg`)).text);
      expect(text).toBe('{"Message":"/ImageResize/images/resized/sample_resized.jpg","Resize":true}');
      const made = await readFile(join(folder, 'resized', 'sample_resized.jpg'));
      expect(made.equals(await direct(await bytesOf(photo), THUMBNAIL))).toBe(true);
    }
  });

  it.each([
    [613, 624, 98, 100],
    [1996, 830, 100, 42],
    [60, 40, 60, 40],
    [5000, 2, 100, 1],
  ])('fit %ix%i inside 100x100 as %ix%i', async (width, height, wanted, high) => {
    const { post, finished, folder } = await atFolder();
    await picture(join(folder, 'sample.png'), width, height);
    await finished((await post('sample.png')).text);
    const made = await sharp(join(folder, 'resized', 'sample_resized.png')).metadata();
    expect([made.width, made.height]).toEqual([wanted, high]);
  });

  it('write the format that the name says, and keep any other name', async () => {
    const { post, finished, folder } = await atFolder();
    await copyFile(fixture('png/rgb16.png'), join(folder, 'misnamed.jpg'));
    await copyFile(fixture('png/rgb16.png'), join(folder, 'plain'));
    await finished((await post('misnamed.jpg')).text);
    const { text } = await finished((await post('plain')).text);
    expect(text).toBe('{"Message":"/ImageResize/images/resized/plain_resized","Resize":true}');
    expect((await sharp(join(folder, 'resized', 'misnamed_resized.jpg')).metadata()).format).toBe('jpeg');
    expect((await sharp(join(folder, 'resized', 'plain_resized')).metadata()).format).toBe('png');
  });
});

describe('GET /result', () => {
  it('says that jobId is missing', async () => {
    const { url } = await atFolder();
    for (const query of ['', '?jobId=']) {
      const said = await ask(`${url}/result${query}`);
      expect(said.status).toBe(400);
      expect(said.text).toBe('{"Result":"Does not specify jobId parameter. Image request is invalid."}');
    }
  });

  it('does not know an unknown id, nor one of another door', async () => {
    const { url, desk } = await atFolder();
    const source = { kind: 'path', path: 'none.jpg' } as const;
    const other = await desk?.submit({ kind: 'size', recipe: {}, source, target: { kind: 'blob' } });
    for (const id of ['no-id', other?.id, '0190d7a4-4f6e-7000-8000-000000000000', '"><script>']) {
      const said = await ask(`${url}/result?jobId=${encodeURIComponent(id ?? '')}`);
      expect(said.status).toBe(404);
      expect(JSON.parse(said.text)).toEqual({
        Result: `An error occured when trying to fetch the job. Error Message: expected the id of a job, received ${id}`,
      });
    }
  });

  it('says that an unfinished job cannot be found yet', async () => {
    const running = await atFolder({ limits: { workers: 1 } });
    const free = await busy(running);
    const { text } = await ask(running.api(`${NAME}/none.jpg`));
    const id = field(text, 'jobId');
    const said = await ask(`${running.url}/result?jobId=${id}`);
    expect(said.status).toBe(404);
    expect(said.text).toBe(
      `{"Result":"Target job with jobId=${id} cannot find. Please check its status and try again later."}`,
    );
    await free();
    await running.finished(text);
  });

  it('tells of a finished job until its time is over; the file stays', async () => {
    const { url, post, folder } = await atFolder({ compat: { ttl: { imageapi: 5000 } } });
    await copyFile(photo, join(folder, 'sample.jpg'));
    const id = field((await post('sample.jpg')).text, 'jobId');
    const result = `${url}/result?jobId=${id}`;
    await until(result, ({ status }) => status === 200);
    const over = await until(result, ({ status }) => status === 404);
    expect(over.text).toMatch('An error occured when trying to fetch the job.');
    expect(await readdir(join(folder, 'resized'))).toEqual(['sample_resized.jpg']);
  });
});

describe('paths of /imageapi', () => {
  it('stay inside the root', async () => {
    const { api, post, folder } = await atFolder();
    const elsewhere = await tempDir();
    await copyFile(photo, join(elsewhere, 'secret.jpg'));
    await symlink(join(elsewhere, 'secret.jpg'), join(folder, 'link.jpg'));
    await symlink(elsewhere, join(folder, 'way'));
    const paths = [
      '/etc/passwd',
      '../secret.jpg',
      `${NAME}/../secret.jpg`,
      `${NAME}-secret/a.jpg`,
      join(elsewhere, 'secret.jpg'),
      `${NAME}/link.jpg`,
      `${NAME}/way/secret.jpg`,
      `${NAME}/way`,
    ];
    for (const path of paths) {
      for (const said of [await ask(api(path)), await post(path)]) {
        expect([path, said.status]).toEqual([path, 403]);
        expect(said.text).toBe('{"Result":"expected a path inside --root, received one outside"}');
      }
    }
    expect((await ask(api('a\0.jpg'))).status).toBe(400);
    // a name that looks like a URL is a path like any other
    expect((await post('http://127.0.0.1:1/a.jpg')).text).toMatch('Image file does not exist');
  });

  it('name no folder of results that leads elsewhere', async () => {
    const { post, folder } = await atFolder();
    const elsewhere = await tempDir();
    await symlink(elsewhere, join(folder, 'resized'));
    await copyFile(photo, join(folder, 'sample.jpg'));
    expect((await post('sample.jpg')).status).toBe(403);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('are off without a root, and the answer names the flag', async () => {
    const { url } = await compatServer();
    for (const method of ['GET', 'POST']) {
      const said = await ask(`${url}/imageapi?imagePath=/a.jpg`, { method });
      expect(said.status).toBe(403);
      expect(said.text).toBe('{"Result":"paths are off on this server; --root turns them on"}');
    }
  });
});

describe('a server that cannot take it all', () => {
  it('tells how many pictures of a directory it took', async () => {
    const running = await atFolder({ limits: { workers: 1 }, jobs: { limits: { queued: 2 } } });
    const free = await busy(running);
    for (const name of ['a', 'b', 'c', 'd']) await picture(join(running.folder, `${name}.png`), 20, 20);
    const said = await running.post(NAME);
    expect(said.status).toBe(503);
    expect(Number(said.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(said.text).toMatch(
      /^\{"Result":"\[2\] image resizing tasks have been put into queue, the others have not: /,
    );
    const single = await running.post('a.png');
    expect([single.status, single.headers.get('retry-after') !== null]).toEqual([503, true]);
    await free();
    await expect
      .poll(() => readdir(join(running.folder, 'resized')).catch(() => []), { timeout: 30_000 })
      .toHaveLength(2);
  });

  it('says so in the same form without a queue, and without a token', async () => {
    const folder = await tempDir();
    const compat = { names: ['imageapi'], ttl: {} };
    const { url } = await server({ compat, roots: [folder] });
    const said = await ask(`${url}/imageapi?imagePath=a.jpg`);
    expect(said.status).toBe(503);
    expect(said.text).toBe('{"Result":"queued work is off on this server; --jobs turns it on"}');
    const closed = await server({ compat, roots: [folder], token: 'sesame' });
    const refused = await ask(`${closed.url}/imageapi?imagePath=a.jpg`);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(refused.text).toMatch(/^\{"Result":"/);
  });
});
