import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { makeFixtures } from '../../fixtures/make.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds what the tests run, and makes the fixtures. */
export default async function setup(): Promise<void> {
  if (process.env.IMGTOOL_BUILT === undefined)
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  await makeFixtures(`${root}/fixtures/generated`, `${root}/fixtures`);
}
