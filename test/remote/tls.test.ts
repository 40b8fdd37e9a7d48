import { describe, expect, it } from 'vitest';
import { certificate } from '../server/certificate.js';
import { imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';
import { serve } from './servers.js';

const [photo = ''] = photos();

/** A server with a certificate for 127.0.0.1 that it signed itself. */
async function secured() {
  const { cert, key } = await certificate();
  const { port } = await serve('--tls-cert', cert, '--tls-key', key);
  return { port, cert };
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
