import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';
import { serve } from './servers.js';

const [photo = ''] = photos();

/** A server behind TLS, with a certificate for 127.0.0.1 that it signed itself. */
async function secured() {
  const { port } = await serve();
  const folder = await tempDir();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  const server = createServer(
    { key: await readFile(key), cert: await readFile(cert), ALPNProtocols: ['h2'] },
    (client) => {
      const upstream = connect(port, '127.0.0.1');
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    },
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, cert };
}

describe('TLS', () => {
  it('is spoken to https:// and grpcs://, with a certificate that is trusted', async () => {
    const { port, cert } = await secured();
    const wanted = await imgtool(['thumbnail', photo, '--out', '-'], { encoding: 'buffer' });
    for (const server of [`https://127.0.0.1:${port}`, `grpcs://localhost:${port}`]) {
      const args = ['thumbnail', photo, '--out', '-', '--server', server, '--ca', cert];
      const { exitCode, stdout, stderr } = await imgtool(args, { encoding: 'buffer' });
      expect(exitCode, Buffer.from(stderr as Uint8Array).toString()).toBe(0);
      expect(Buffer.from(stdout as Uint8Array).equals(wanted.stdout as Uint8Array)).toBe(true);
    }
  });

  it('with a certificate of nobody known ends the run, and is told why', async () => {
    const { port } = await secured();
    const args = ['thumbnail', photo, '--server', `https://127.0.0.1:${port}`];
    const { exitCode, stderr } = await imgtool(args, { cwd: await tempDir() });
    expect(exitCode).toBe(2);
    expect(String(stderr)).toMatch(
      /E_USAGE.*a certificate of 127\.0\.0\.1:\d+ that is trusted.*self-signed/s,
    );
  });
});
