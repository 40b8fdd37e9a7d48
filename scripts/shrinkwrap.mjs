// Before packing: writes npm-shrinkwrap.json, the production half of package-lock.json, so that whoever installs the
// tarball gets the very tree that was tested. After packing (--remove) it goes again: in a clone npm would prefer it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (process.argv.includes('--remove')) {
  rmSync(`${root}npm-shrinkwrap.json`, { force: true });
} else {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
  const { devDependencies: _, ...itself } = lock.packages[''];
  const needed = Object.entries(lock.packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
  );
  writeFileSync(
    `${root}npm-shrinkwrap.json`,
    `${JSON.stringify({ ...lock, packages: { '': itself, ...Object.fromEntries(needed) } }, null, 2)}\n`,
  );
}
