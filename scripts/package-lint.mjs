// Packs the built tree as it would be published and has publint and attw judge the tarball.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'imgtool-pack-'));
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, stdio: 'pipe', shell: process.platform === 'win32' });

try {
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  const tarball = join(folder, readdirSync(folder)[0]);
  run('publint', [tarball, '--strict']);
  run('attw', [tarball, '--profile', 'esm-only', '--no-emoji']);
} catch (error) {
  console.error(`${error.stdout ?? ''}${error.stderr ?? error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
