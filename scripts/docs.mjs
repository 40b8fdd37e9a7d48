// Writes the parts of docs/ that derive from the code; with --check, fails when one of them is out of step.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const checking = process.argv.includes('--check');

const stale = Object.entries(await documents()).filter(([path, text]) => textOf(path) !== text);
for (const [path, text] of stale) {
  if (checking)
    console.error(`expected ${path} to be what the code says, received another text: npm run docs`);
  else writeFileSync(join(root, path), text);
}
process.exitCode = checking && stale.length > 0 ? 1 : 0;

/** The sources are TypeScript, which Node 20 does not run: they are bundled beside node_modules for a moment. */
async function documents() {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules/.cache/imgtool-docs-'));
  const outfile = join(folder, 'docs.mjs');
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ['scripts/docs/documents.ts'],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
    });
    return (await import(pathToFileURL(outfile).href)).documents();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function textOf(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}
