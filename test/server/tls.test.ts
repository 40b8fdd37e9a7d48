import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { byProtocol } from '../../src/server/first-bytes.js';
import { openTls } from '../../src/server/tls.js';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';
import { certificate } from './certificate.js';
import { failure, grpcClient } from './grpc-client.js';
import { serve } from './serving.js';
import { bytesOf, direct, server } from './workshop.js';

const [photo = ''] = photos();
const WINDOW = 4 * 1024 * 1024;
const SOON = { timeout: 30_000 };

/** A server with TLS, and its certificate. */
async function secured() {
  const tls = await certificate();
  const running = await server({ tls });
  return { ...running, tls, url: `https://localhost:${running.port}`, ca: await readFile(tls.cert) };
}

/** A connection after its handshake; gone when the running test ends. */
function shaken(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options });
    onTestFinished(() => void socket.destroy());
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
}

/** All that comes until the other side ends. */
function heard(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined).on('close', () => resolve(text));
  });
}

describe('a server with a certificate', () => {
  it('answers plain curl over HTTP/1.1 with the same bytes', async () => {
    const { url, tls } = await secured();
    const curl = (...args: string[]) =>
      execa('curl', ['--silent', '--show-error', '--cacert', tls.cert, ...args], { encoding: 'buffer' });
    const live = await curl('--write-out', ' %{http_version} %{http_code}', `${url}/livez`);
    expect(String(Buffer.from(live.stdout))).toMatch(/ 1\.1 200$/);
    const made = await curl('--data-binary', `@${photo}`, `${url}/v1/process?thumb=100`);
    const wanted = await direct(await bytesOf(photo), { steps: [{ op: 'thumbnail', size: 100 }] });
    expect(Buffer.from(made.stdout).equals(wanted)).toBe(true);
  });

  it('answers gRPC on the same port, large messages too, with windows of 4 MiB', async () => {
    const { port, url, ca } = await secured();
    const client = grpcClient(port, 'imgtool.v1.ImageService', credentials.createSsl(ca));
    const image = await bytesOf(photo);
    expect(await client.unary('Size', { image })).toMatchObject({ format: 'jpeg', bytes: image.length });
    const raw = grpcClient(port, 'NLImageService', credentials.createSsl(ca));
    const data = Buffer.alloc(6_000_000, 7);
    const turned = await raw.unary<{ data: Buffer }>('RotateImage', {
      rotation: 1,
      image: { color: false, width: 3000, height: 2000, data },
    });
    expect(turned.data.equals(data)).toBe(true);
    const session = connectHttp2(url, { ca });
    onTestFinished(() => session.destroy());
    await vi.waitFor(() => expect(session.remoteSettings?.initialWindowSize).toBe(WINDOW), SOON);
    await vi.waitFor(() => expect(session.state.remoteWindowSize).toBe(WINDOW), SOON);
  });

  it.each([
    [['h2', 'http/1.1'], 'http/1.1'],
    [['http/1.1'], 'http/1.1'],
    [['h2'], 'h2'],
    [undefined, false],
  ])('speaks to a client that offers %s: %s', async (offered, chosen) => {
    const { port, ca } = await secured();
    const socket = await shaken(port, { ca, ...(offered && { ALPNProtocols: offered }) });
    expect(socket.alpnProtocol).toBe(chosen);
    expect(socket.getProtocol()).toBe('TLSv1.3');
  });

  it('takes TLS 1.2, and nothing older', async () => {
    const { port, ca } = await secured();
    const socket = await shaken(port, { ca, maxVersion: 'TLSv1.2' });
    expect(socket.getProtocol()).toBe('TLSv1.2');
    const old = { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(shaken(port, old)).rejects.toThrow(/protocol version|unsupported protocol/);
  });

  it('tells clients that speak plainly, in an answer they can read', async () => {
    const { port } = await secured();
    const response = await fetch(`http://127.0.0.1:${port}/v1/process?thumb=100`, {
      method: 'POST',
      body: new Uint8Array(await bytesOf(photo)),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'E_USAGE',
      detail: 'expected HTTPS on this port, received a plain connection',
    });
    const plain = grpcClient(port, 'imgtool.v1.ImageService').unary('Size', { image: Buffer.alloc(1) });
    expect((await failure(plain)).code).toBe(14);
  });

  it('goes down in order, with connections open', async () => {
    const { port, ca, drain } = await secured();
    const socket = await shaken(port, { ca, ALPNProtocols: ['http/1.1'] });
    const rest = heard(socket);
    socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0), SOON);
    await drain();
    expect(await rest).toMatch('200 OK');
  });

  it('counts connections before they shake hands', async () => {
    const tls = await certificate();
    const { port } = await server({ tls, connections: 1 });
    const first = await shaken(port, { ca: await readFile(tls.cert) });
    const second = connectPlain(port, '127.0.0.1');
    expect(await heard(second)).toBe('');
    first.destroy();
  });
});

describe('a handshake', () => {
  it('that takes too long is cut, as is silence before and after it', async () => {
    const files = await certificate();
    const listening = async (handshakeMs: number): Promise<number> => {
      const secure = (socket: TLSSocket) => byProtocol(socket, 100, { http: () => undefined });
      const tls = openTls(files, handshakeMs, secure);
      const port = createServer((socket) => tls.take(socket)).listen(0, '127.0.0.1');
      onTestFinished(() => void port.close());
      await once(port, 'listening');
      return (port.address() as AddressInfo).port;
    };
    const slow = connectPlain(await listening(100), '127.0.0.1');
    slow.write(Buffer.from([0x16, 3, 1, 2, 0]));
    expect(await heard(slow)).toBe('');
    const silent = await shaken(await listening(30_000), { ca: await readFile(files.cert) });
    expect(await heard(silent)).toBe('');
  });
});

describe('imgtool serve --tls-cert --tls-key', () => {
  it('says https, and takes a new certificate on SIGHUP; a bad one is logged and left', async () => {
    const files = await certificate();
    const logs = await tempDir();
    const { child, url, said } = await serve(
      '--tls-cert',
      files.cert,
      '--tls-key',
      files.key,
      '--log-dir',
      logs,
    );
    expect(url).toMatch(/^https:/);
    expect(said()).not.toMatch('imgtool client');
    const port = Number(new URL(url).port);
    const served = async () =>
      (await shaken(port, { rejectUnauthorized: false })).getPeerCertificate().fingerprint256;
    const first = await served();
    await writeFile(files.key, 'no key');
    child.kill('SIGHUP');
    await vi.waitFor(
      async () => expect(await readFile(join(logs, 'error.log'), 'utf8')).toMatch('tls-key'),
      SOON,
    );
    expect(await served()).toBe(first);
    const renewed = await certificate();
    await copyFile(renewed.cert, files.cert);
    await copyFile(renewed.key, files.key);
    child.kill('SIGHUP');
    await vi.waitFor(async () => expect(await served()).not.toBe(first), SOON);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(0);
  });

  it('holds for the small API in front of a service too', async () => {
    const { cert, key } = await certificate();
    const { url } = await serve('--tls-cert', cert, '--tls-key', key, '--upstream', 'localhost:1');
    const { stdout } = await execa('curl', [
      '--silent',
      '--cacert',
      cert,
      `${url}/livez`,
      '--write-out',
      '%{scheme}',
    ]);
    expect(stdout).toMatch(/https$/i);
  });

  it('names the flag and the file that will not do', async () => {
    const [one, other] = [await certificate(), await certificate()];
    const junk = join(await tempDir(), 'junk.pem');
    await writeFile(junk, 'junk');
    const refused = async (...args: string[]) => {
      const { exitCode, stderr } = await imgtool(['serve', '--port', '0', ...args]);
      expect(exitCode).toBe(2);
      return stderr;
    };
    expect(await refused('--tls-cert', one.cert)).toMatch('--tls-key beside --tls-cert');
    expect(await refused('--tls-key', one.key)).toMatch('--tls-cert beside --tls-key');
    expect(await refused('--tls-cert', junk, '--tls-key', one.key)).toMatch(
      /junk\.pem: tls-cert: expected a certificate/,
    );
    const opened = (cert: string, key: string) => () => openTls({ cert, key }, 1000, () => undefined);
    const naming = (field: string, file: string, message: RegExp) =>
      expect.objectContaining({ code: 'E_USAGE', field, file, message: expect.stringMatching(message) });
    expect(opened('/nowhere', one.key)).toThrow(naming('tls-cert', '/nowhere', /ENOENT/));
    expect(opened(one.cert, junk)).toThrow(naming('tls-key', junk, /a private key in PEM/));
    expect(opened(one.cert, other.key)).toThrow(naming('tls-key', other.key, /of the certificate in/));
  });
});

const { exitCode } = await execa('chromium', ['--version'], { reject: false });
const isThere = exitCode === 0 || process.env.CI !== undefined;

describe('a browser', () => {
  it.skipIf(!isThere)('shows the docs over HTTPS (skipped without chromium)', async () => {
    const { url } = await secured();
    const quiet = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${await tempDir()}`];
    const { stdout } = await execa('chromium', [
      ...quiet,
      '--ignore-certificate-errors',
      '--dump-dom',
      `${url}/docs`,
    ]);
    expect(stdout).toMatch('<h3>curl</h3>');
  });
});
