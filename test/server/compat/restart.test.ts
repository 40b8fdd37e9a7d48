import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { serve } from '../serving.js';
import { bytesOf, noise } from '../workshop.js';
import { ask, field, origin, until } from './ground.js';

const [photo = ''] = photos();

it('what was accepted before a kill -9 comes to its end after it', async () => {
  const [folder, data] = [await tempDir(), await tempDir()];
  await copyFile(photo, join(folder, 'sample.jpg'));
  const bytes = await bytesOf(photo);
  const place = await origin((_request, response) => response.end(bytes));
  const flags = [
    '--root',
    `/images=${folder}`,
    '--allow-url',
    `${place}/`,
    '--allow-private',
    '--data-dir',
    data,
  ];

  const before = await serve(...flags, '--workers', '1');
  // the only worker has minutes to do before the others have their turn
  const slow = await ask(`${before.url}/v1/process?format=avif&effort=9&quality=90`, {
    method: 'POST',
    headers: { prefer: 'respond-async' },
    body: new Uint8Array(await noise(1)),
  });
  expect(slow.status).toBe(202);
  const form = new FormData();
  form.set('image_data', new Blob([new Uint8Array(bytes)]), 'photo.jpg');
  const size = await ask(`${before.url}/imageapi?imagePath=/images/sample.jpg`);
  const resize = await ask(`${before.url}/imageapi?imagePath=/images/sample.jpg`, { method: 'POST' });
  const body = JSON.stringify({ url: `${place}/a.jpg` });
  const thumbnail = await ask(`${before.url}/v1/thumbnails`, { method: 'POST', body });
  const upload = await ask(`${before.url}/create`, { method: 'POST', body: form });
  const paths = {
    size: `/result?jobId=${field(size.text, 'jobId')}`,
    resize: `/result?jobId=${field(resize.text, 'jobId')}`,
    thumbnail: `/v1/thumbnails?id=${field(thumbnail.text, 'id')}`,
    upload: `/status/${field(upload.text, 'task_id')}`,
  };
  expect((await ask(`${before.url}${paths.resize}`)).status).toBe(404);
  expect((await ask(`${before.url}${paths.upload}`)).text).toMatch('PENDING');
  before.child.kill('SIGKILL');
  await before.child;

  const { url } = await serve(...flags, '--workers', '2');
  const ended = async (path: string, end: string) =>
    (await until(`${url}${path}`, ({ text }) => text.includes(end))).text;
  expect(await ended(paths.size, 'successfully')).toMatch(/"Height":\d+/);
  expect(await ended(paths.resize, '"Resize"')).toBe(
    '{"Message":"/images/resized/sample_resized.jpg","Resize":true}',
  );
  const link = field(await ended(paths.thumbnail, 'completed'), 'resized_url');
  const made = await readFile(join(folder, 'resized/sample_resized.jpg'));
  expect(Buffer.from(await (await fetch(link)).arrayBuffer()).equals(made)).toBe(true);
  expect(await ended(paths.upload, 'SUCCESS')).toMatch('./bucket/thumbnail_img/photo.jpg');
  expect((await readFile(join(data, 'bucket/uploaded_img/photo.jpg'))).equals(bytes)).toBe(true);
});
