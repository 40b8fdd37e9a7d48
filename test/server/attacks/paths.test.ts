import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { server } from '../workshop.js';
import { unharmed } from './doors.js';

const [photo = ''] = photos();

/** A server with the root `data`, beside it `data-secret`, which is none of its business. */
async function rooted() {
  const folder = await tempDir();
  const root = join(folder, 'data');
  await mkdir(join(root, 'sub'), { recursive: true });
  await mkdir(join(folder, 'data-secret'));
  await copyFile(photo, join(root, 'a.jpg'));
  await copyFile(photo, join(folder, 'data-secret', 's.jpg'));
  await symlink(join(folder, 'data-secret'), join(root, 'link'));
  await symlink(join(folder, 'data-secret', 's.jpg'), join(root, 'out.jpg'));
  await symlink('loop.jpg', join(root, 'loop.jpg'));
  await symlink('/dev/zero', join(root, 'zero.jpg'));
  await symlink('/proc/self/environ', join(root, 'environ.jpg'));
  execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
  return { folder, root, at: await server({ roots: [root, `/named=${root}`] }) };
}

/** Asks with the query as it is written: clients that tidy paths up would spoil it. */
function asked(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path }, (response) => {
      let body = '';
      response.on('data', (data) => {
        body += String(data);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** What a client may write as `src`, `{}` for the folder of the root, and whether it is refused as outside or not there. */
const PATHS: readonly (readonly [string, string, readonly number[]])[] = [
  ['a way up', '../data-secret/s.jpg', [403]],
  ['a way up behind a folder', 'sub/../../data-secret/s.jpg', [403]],
  ['a way up that is encoded', '%2e%2e%2fdata-secret%2fs.jpg', [403]],
  ['a way up that is encoded twice', '%252e%252e%252fdata-secret%252fs.jpg', [404]],
  ['a way up in too many bytes', '%c0%ae%c0%ae%c0%afdata-secret/s.jpg', [404]],
  ['a way up with backslashes', '..%5Cdata-secret%5Cs.jpg', [404]],
  ['a way up with many slashes', '..////data-secret//s.jpg', [403]],
  ['a folder whose name begins alike', '{}/data-secret/s.jpg', [403]],
  ['a named root that begins alike', '/named-secret/s.jpg', [403]],
  ['a way up from a named root', '/named/../data-secret/s.jpg', [403]],
  ['an absolute path', '/etc/passwd', [403]],
  ['a file:// URL', 'file:///etc/passwd', [403]],
  ['a home', '~root/.bashrc', [404]],
  ['a NUL', 'a.jpg%00.png', [400]],
  ['a link that leads out', 'out.jpg', [403]],
  ['a folder that is a link out', 'link/s.jpg', [403]],
  ['a way up behind a link', 'link/../a.jpg/../../data-secret/s.jpg', [403]],
  ['a link to itself', 'loop.jpg', [404, 422, 500]],
  ['a device', 'zero.jpg', [403]],
  ['a device by its path', '/dev/zero', [403]],
  ['what the system tells of processes', 'environ.jpg', [403]],
  ['a pipe', 'pipe.jpg', [422]],
  ['a folder', 'sub', [422]],
  ['a name of 5000 letters', 'x'.repeat(5000), [404, 422, 500]],
];

describe('a path that is refused', () => {
  it.each(['/v1/image', '/v1/size'])('at %s tells nothing of what lies outside', async (route) => {
    const { folder, at } = await rooted();
    for (const [what, src, statuses] of PATHS) {
      const { status, body } = await asked(at.port, `${route}?src=${src.replace('{}', folder)}`);
      expect(statuses, `${what}: ${body}`).toContain(status);
      expect(JSON.parse(body).code, what).not.toBe('E_INTERNAL');
      expect(body, what).not.toContain(`${folder}/data/`);
    }
    await unharmed(at);
  });

  it('is the same for what exists outside and what does not', async () => {
    const { at } = await rooted();
    const said = [];
    for (const src of ['../data-secret/s.jpg', '../data-secret/none.jpg', '/etc/passwd', '/etc/none']) {
      const { status, body } = await asked(at.port, `/v1/size?src=${src}`);
      const { request_id: _, ...problem } = JSON.parse(body);
      said.push({ status, ...problem });
    }
    expect(new Set(said.map((one) => JSON.stringify(one))).size).toBe(1);
  });
});
