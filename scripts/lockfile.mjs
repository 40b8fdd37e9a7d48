// Fails when package-lock.json is out of step with package.json, lacks a platform's package, or names a registry.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));

// it is made for a moment while packing; npm would prefer it to package-lock.json
if (existsSync(`${root}npm-shrinkwrap.json`))
  fail('expected no npm-shrinkwrap.json in the tree, received one; delete it');

const named = Object.keys(packages).filter((path) => packages[path].resolved !== undefined);
if (named.length > 0)
  fail(`expected no "resolved" address in package-lock.json, received one for ${named[0]}`);

const unsealed = Object.keys(packages).filter(
  (path) => path !== '' && packages[path].integrity === undefined,
);
if (unsealed.length > 0) fail(`expected an "integrity" for every package, received none for ${unsealed[0]}`);

const aged = Object.keys(packages).filter((path) => packages[path].deprecated !== undefined);
if (aged.length > 0) fail(`expected no deprecated package, received ${aged.join(', ')}`);

try {
  execFileSync('npm', ['ci', '--dry-run', '--ignore-scripts', '--no-audit'], {
    cwd: root,
    stdio: 'pipe',
    shell: process.platform === 'win32',
  });
} catch (error) {
  fail(String(error.stderr));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
