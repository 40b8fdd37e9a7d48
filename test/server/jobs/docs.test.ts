import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, direct, server } from '../workshop.js';

const [photo = ''] = photos();

it('the lines of docs/jobs.md do what they say', async () => {
  const { url } = await server({ jobs: {} });
  const folder = await tempDir();
  await copyFile(photo, join(folder, 'photo.jpg'));
  const page = await readFile(new URL('../../../docs/jobs.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines);
  const script = blocks.join('echo\n').replace('http://127.0.0.1:50051', url);
  const { stdout } = await execa('bash', ['-e', '-c', script], { cwd: folder });
  expect(stdout).toMatch(/event: done\nid: \d+\ndata: \{/);
  expect(stdout).toMatch('"priority":"urgent"');
  expect(stdout).toMatch('"blob_bytes"');
  expect(stdout.match(/"code":"E_JOB_FINISHED"/g)).toHaveLength(2);
  const thumb = { steps: [{ op: 'thumbnail', size: 100 }] };
  expect((await bytesOf(join(folder, 'small.jpg'))).equals(await direct(await bytesOf(photo), thumb))).toBe(
    true,
  );
});
