import { describe, expect, it } from 'vitest';
import { photos } from '../../support/fixtures.js';
import { bytesOf, server } from '../workshop.js';

const [photo = ''] = photos();

/** The files that the page names, as paths. */
async function filesOf(url: string): Promise<string[]> {
  const html = await (await fetch(url)).text();
  return [...html.matchAll(/(?:href|src)="(page\/[^"]+)"/g)].map(([, path]) => `${url}/${path}`);
}

async function problem(response: Response): Promise<{ status: number; code: string; detail: string }> {
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  return { status: response.status, code, detail };
}

describe('the files of the page', () => {
  it('come under a policy that lets nothing in from elsewhere, nothing inline, and no text become script', async () => {
    const { url } = await server();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'none'",
      ]),
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const html = await response.text();
    expect(html).not.toMatch(/<style|style=|<script(?! type="module" src="page\/)| on\w+=|\{\{/);
  });

  it('have names that mean the same bytes for ever, and are not sent to those who have them', async () => {
    const { url } = await server();
    const files = [...new Set(await filesOf(url))];
    expect(files.map((path) => path.replace(/^.*\/\w+-[0-9a-f]{12}/, '')).sort()).toEqual([
      '.css',
      '.js',
      '.svg',
    ]);
    for (const path of [url, ...files]) {
      const first = await fetch(path);
      expect(first.status).toBe(200);
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[0-9a-f]{27}"$/);
      if (path !== url) expect(first.headers.get('cache-control')).toMatch('immutable');
      expect((await fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    }
    expect((await fetch(`${url}/page/page-000000000000.js`)).status).toBe(404);
    expect((await fetch(`${url}/page/..%2f..%2fserver.js`)).status).toBe(404);
  });

  it('are small: a page is there before a picture is', async () => {
    const { url } = await server();
    const sizes = await Promise.all(
      [...new Set(await filesOf(url))].map(
        async (path) => (await (await fetch(path)).arrayBuffer()).byteLength,
      ),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
  });

  it('open without a token, which everything else needs', async () => {
    const { url } = await server({ token: 'opensesame' });
    for (const path of [url, ...(await filesOf(url))]) expect((await fetch(path)).status).toBe(200);
    expect((await fetch(`${url}/v1/operations`)).status).toBe(401);
  });

  it('are off where strangers could use them, and say how to have them', async () => {
    const open = await server({ host: '0.0.0.0' });
    const off = await problem(await fetch(open.url));
    expect(off).toMatchObject({ status: 404, code: 'E_NOT_FOUND' });
    expect(off.detail).toMatch(/--token/);
    const closed = await server({ host: '0.0.0.0', token: 'opensesame' });
    expect((await fetch(closed.url)).status).toBe(200);
  });
});

describe('GET /v1/operations', () => {
  it('tells each operation with its parameters, those of results, and of the recipe', async () => {
    const { url } = await server();
    const registry = (await (await fetch(`${url}/v1/operations`)).json()) as {
      operations: { name: string; params: { properties: Record<string, unknown> } }[];
      output: { properties: Record<string, unknown> };
      recipe: { properties: Record<string, unknown> };
    };
    const { operations, output, recipe } = registry;
    expect(operations.find(({ name }) => name === 'resize')?.params.properties).toMatchObject({
      width: { type: 'integer', minimum: 1, maximum: 65_535, description: expect.any(String) },
      fit: { default: 'inside', enum: expect.arrayContaining(['cover']) },
    });
    expect(output.properties).toHaveProperty('format.enum');
    expect(Object.keys(recipe.properties)).toEqual(expect.arrayContaining(['frames', 'autoOrient']));
    expect(recipe.properties).not.toHaveProperty('steps');
  });
});

describe('pages of other sites', () => {
  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ])('start nothing: %o', async (headers) => {
    const { url } = await server({ jobs: {} });
    const body = new Uint8Array(await bytesOf(photo));
    const response = await fetch(`${url}/v1/process?thumb=10`, {
      method: 'POST',
      body,
      headers: { ...headers },
    });
    expect(await problem(response)).toMatchObject({ status: 403, code: 'E_PERMISSION' });
    const deleted = await fetch(`${url}/v1/jobs/1`, { method: 'DELETE', headers: { ...headers } });
    expect(deleted.status).toBe(403);
  });

  it.each([{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])(
    'are not what programs and the own page are: %o',
    async (headers) => {
      const { url } = await server();
      const body = new Uint8Array(await bytesOf(photo));
      for (const origin of [{}, { origin: url }]) {
        const init = { method: 'POST', body, headers: { ...headers, ...origin } };
        expect((await fetch(`${url}/v1/process?thumb=10`, init)).status).toBe(200);
      }
    },
  );

  it('do not pass for this one by a name that leads to loopback', async () => {
    const { port } = await server({ jobs: {} });
    expect(await asked(port, 'evil.example', '/')).toBe(403);
    expect(await asked(port, `localhost.evil.example:${port}`, '/v1/jobs')).toBe(403);
    for (const name of [`localhost:${port}`, `127.0.0.1:${port}`, '[::1]', 'imgtool.localhost'])
      expect(await asked(port, name, '/')).toBe(200);
    const known = await server({ publicUrl: 'https://pictures.example/tool' });
    expect(await asked(known.port, 'pictures.example', '/')).toBe(200);
    const closed = await server({ token: 'opensesame' });
    expect(await asked(closed.port, 'pictures.example', '/')).toBe(200);
  });
});

/** The status of a request that calls the server by some name. */
async function asked(port: number, host: string, path: string): Promise<number> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}
