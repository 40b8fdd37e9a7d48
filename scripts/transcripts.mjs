// The `console` blocks of README.md and docs/ are run: `npm run docs:run` writes what the commands say today, and a
// test fails when that differs in more than sizes and times. A page's blocks share one folder, made anew for it.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/** The pages that hold console blocks, by their path in the repository. */
export function pages() {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].filter((path) =>
    textOf(path).includes('```console\n'),
  );
}

/** A page's text with each command's output as it is now. Runs the built command line. */
export function rerun(path) {
  // throws when there is no working build, so that no page is filled with its complaint
  execFileSync(process.execPath, [join(root, 'bin/run.cjs'), '--help']);
  const folder = workshop();
  try {
    return textOf(path).replace(BLOCK, (_, body) => {
      const commands = body.split('\n').filter((line) => line.startsWith('$ '));
      return `\`\`\`console\n${commands.map((line) => `${line}\n${said(line.slice(2), folder)}`).join('')}\`\`\``;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A page's console lines without what differs from run to run: sizes, times, and the order of pictures. */
export function comparable(text) {
  return [...text.matchAll(BLOCK)].map(([, body]) =>
    body
      .replaceAll(/\d+(\.\d+)? (B|kB|MB|s)\b/g, '# $2')
      .replaceAll(/"(bytes|bytesIn|bytesOut|ms)":[\d.]+/g, '"$1":#')
      .split('\n')
      .map((line) => line.trim().replace(/,$/, '').replaceAll(/ {2,}/g, ' '))
      .sort(),
  );
}

/** The text of a page. */
export function textOf(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** A folder with pictures as the pages name them, and the command line on its PATH. */
function workshop() {
  const folder = mkdtempSync(join(tmpdir(), 'imgtool-docs-'));
  const photos = join(root, 'fixtures/photos');
  cpSync(photos, join(folder, 'fixtures/photos'), { recursive: true });
  cpSync(photos, join(folder, 'images'), { recursive: true });
  mkdirSync(join(folder, 'mixed'));
  cpSync(join(photos, 'pagoda.jpg'), join(folder, 'mixed/pagoda.jpg'));
  writeFileSync(
    join(folder, 'mixed/cut.jpg'),
    readFileSync(join(photos, 'mountain.jpg')).subarray(0, 300_000),
  );
  writeFileSync(join(folder, 'mixed/notes.png'), 'no picture');
  writeFileSync(join(folder, 'mixed/IMG_0001.heic'), '');
  mkdirSync(join(folder, '.bin'));
  const shim = join(folder, '.bin/imgtool');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/run.cjs')}' "$@"\n`);
  chmodSync(shim, 0o755);
  return folder;
}

function said(command, folder) {
  const { NODE_EXTRA_CA_CERTS: _, CI: __, VITEST: ___, NODE_ENV: ____, ...environment } = process.env;
  const env = {
    ...environment,
    NO_COLOR: '1',
    HOME: folder,
    PATH: `${join(folder, '.bin')}:${process.env.PATH}`,
  };
  // commands may fail: that is what some of them show
  return execFileSync('sh', ['-c', `{ ${command}\n} 2>&1 || true`], {
    cwd: folder,
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const path of pages()) writeFileSync(join(root, path), rerun(path));
