import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, vi } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { tempDir } from '../support/fixtures.js';

/** The last of the lines that every start has: what is off, and of a server in front of another, what to try. */
const STARTED = /\n {2}off .*\n|\n {2}try .*\/image'\n/;

/** `imgtool serve` as a user starts it; resolves when it has said where it listens. */
export function serve(...args: readonly string[]) {
  return serveFrom({}, ...args);
}

/** The same in a folder, or with more in the environment. */
export async function serveFrom(
  { cwd, env }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ...args: readonly string[]
) {
  // a server that is killed leaves its spool behind
  const folder = await tempDir();
  const spool = args.includes('--spool-dir') ? [] : ['--spool-dir', folder];
  const child = execa(process.execPath, [CLI, 'serve', '--port', '0', ...spool, ...args], {
    reject: false,
    env: {
      ...userEnvironment(),
      XDG_CONFIG_HOME: join(folder, 'config'),
      XDG_DATA_HOME: join(folder, 'data'),
      ...env,
    },
    extendEnv: true,
    ...(cwd !== undefined && { cwd }),
  });
  // its folder is removed next, which must not be written to any more
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += String(text);
  });
  await vi.waitFor(() => expect(said).toMatch(STARTED), { timeout: 50_000 });
  const [url = ''] = /https?:\/\/[\d.:]+/.exec(said) ?? [];
  return { child, url, said: () => said };
}
