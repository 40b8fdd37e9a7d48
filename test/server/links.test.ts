import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bearerAuth } from '../../src/server/auth.js';
import { httpApp } from '../../src/server/http/app.js';
import { linkBase, publicUrlFrom } from '../../src/server/http/links.js';
import { trustedProxies } from '../../src/server/http/proxies.js';
import { openLogs } from '../../src/server/logs.js';
import { serverMetrics } from '../../src/server/metrics.js';
import { tempDir } from '../support/fixtures.js';
import { server } from './workshop.js';

const SOON = { timeout: 30_000 };

type Headers = Readonly<Record<string, string>>;

/** An application that answers what its links begin with. */
async function links(settings: { publicUrl?: string; proxies?: string } = {}) {
  const folder = await tempDir();
  const { publicUrl, proxies } = settings;
  const options = {
    auth: bearerAuth(undefined),
    logs: await openLogs({ folder }),
    metrics: serverMetrics(undefined),
    totalMs: 10_000,
    retryAfter: () => 1,
    draining: () => false,
    ...(proxies !== undefined && { trustProxy: proxies }),
  };
  const base = linkBase(publicUrl);
  const { app, server: http } = await httpApp(options, (routes) =>
    routes.get('/base', async (asked) => base(asked)),
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => app.close());
  const { port } = http.address() as AddressInfo;
  const ask = async (headers: Headers = {}): Promise<string> => {
    const sent = request({ host: '127.0.0.1', port, path: '/base', headers, agent: false }).end();
    const [answer] = await once(sent, 'response');
    return text(answer);
  };
  return { ask, port, own: `http://127.0.0.1:${port}`, log: () => readFile(`${folder}/access.log`, 'utf8') };
}

const FORWARDED: Headers = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'pictures.example.com',
};

describe('what links begin with', () => {
  it('is what the request itself says; the headers of a proxy that nobody trusts change nothing', async () => {
    const { ask, own, log } = await links();
    expect(await ask()).toBe(own);
    expect(await ask({ host: 'images.example:8080' })).toBe('http://images.example:8080');
    expect(await ask({ host: '[::1]:8080' })).toBe('http://[::1]:8080');
    expect(await ask(FORWARDED)).toBe(own);
    await vi.waitFor(async () => expect((await log()).trim().split('\n')).toHaveLength(4), SOON);
    expect(await log()).not.toMatch('203.0.113.9');
  });

  it('is the public URL when there is one, whatever the request says', async () => {
    const publicUrl = publicUrlFrom('https://example.com/images/');
    const { ask } = await links({ publicUrl, proxies: 'loopback' });
    expect(await ask(FORWARDED)).toBe('https://example.com/images');
    expect(await ask({ host: 'evil.example' })).toBe('https://example.com/images');
  });

  it('is what a trusted proxy says, and so is the address in the log', async () => {
    const { ask, log } = await links({ proxies: 'loopback, 192.0.2.0/24' });
    expect(await ask(FORWARDED)).toBe('https://pictures.example.com');
    await vi.waitFor(async () => expect(await log()).toMatch('"ip":"203.0.113.9"'), SOON);
    // a client that adds its own header comes through with the address that the proxy saw
    await ask({ ...FORWARDED, 'x-forwarded-for': '198.51.100.1, 203.0.113.10, 192.0.2.7' });
    await vi.waitFor(async () => expect(await log()).toMatch('"ip":"203.0.113.10"'), SOON);
    expect(await log()).not.toMatch('198.51.100.1');
  });

  it('is not what another proxy says', async () => {
    const { ask, own, log } = await links({ proxies: '192.0.2.7,10.0.0.0/8,2001:db8::/32' });
    expect(await ask(FORWARDED)).toBe(own);
    await vi.waitFor(async () => expect(await log()).toMatch('"ip":"127.0.0.1"'), SOON);
  });

  it.each([
    'evil"><script>',
    "a'b",
    'a b',
    'user@evil.example',
    'evil.example/path',
    'evil.example?x',
    'evil.example#x',
    'evil.example\\x',
    'javascript:alert(1)',
    'a;b',
    '-a-',
    'h:123456',
    `${'a'.repeat(300)}`,
    'é.example',
  ])('is never a host of hostile characters: %s', async (host) => {
    const { ask, own } = await links({ proxies: 'loopback' });
    expect(await ask({ host })).toBe(own);
    expect(await ask({ 'x-forwarded-host': host, 'x-forwarded-proto': 'javascript' })).toBe(own);
  });

  it('is the address that was reached, for clients that say nothing', async () => {
    const { port, own } = await links();
    const socket = connect(port, '127.0.0.1', () => socket.end('GET /base HTTP/1.0\r\n\r\n'));
    expect(await text(socket)).toMatch(new RegExp(`${own}$`));
  });
});

describe('settings for proxies', () => {
  it.each(['junk', '10.0.0.0/33', '10.0.0.0/8/8', '0.0.0.0/0', '::/0', '10.0.0.0/x', '', 'loopback,', '1'])(
    'trust no one by mistake: %j',
    (text) => {
      expect(() => trustedProxies(text)).toThrow(/E_USAGE|expected loopback/);
    },
  );

  it('know addresses in every form', () => {
    const trust = trustedProxies('loopback,uniquelocal,fe80::1');
    for (const address of ['127.0.0.2', '::ffff:127.0.0.1', '::1', '172.31.0.1', 'fd00::1', 'fe80::1'])
      expect(trust(address)).toBe(true);
    for (const address of ['172.32.0.1', '128.0.0.1', '::ffff:8.8.8.8', 'fe80::2', '', 'unknown'])
      expect(trust(address)).toBe(false);
  });

  it.each([
    'example.com',
    'ftp://example.com',
    'https://a:b@example.com',
    'https://example.com/?x',
    'https://x/#',
  ])('refuse a public URL that is none: %s', (text) => {
    expect(() => publicUrlFrom(text)).toThrow(/an http or https URL/);
  });
});

describe('a server with a public URL', () => {
  it('tells it in its description', async () => {
    const { url } = await server({ publicUrl: 'https://example.com/images' });
    const { servers } = (await (await fetch(`${url}/openapi.json`)).json()) as { servers: unknown };
    expect(servers).toEqual([{ url: 'https://example.com/images' }]);
  });
});
