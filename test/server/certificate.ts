import { join } from 'node:path';
import { execa } from 'execa';
import type { TlsFiles } from '../../src/server/tls.js';
import { tempDir } from '../support/fixtures.js';

/** A self-signed certificate for localhost, and its key, in a folder that goes when the running test ends. */
export async function certificate(): Promise<TlsFiles> {
  const folder = await tempDir();
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await execa('openssl', [
    'req',
    '-x509',
    ...kind,
    '-days',
    '2',
    ...names,
    '-keyout',
    files.key,
    '-out',
    files.cert,
  ]);
  return files;
}
