// Builds the library with tsc (dist/) and the command line as a bundle (dist/cli/), which starts a third faster.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

rmSync(`${root}/dist`, { recursive: true, force: true });
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

/** What every start of a command loads; the rest stays outside and is loaded when it is first needed. */
const BUNDLED = new Set(['@oclif/core', 'fast-glob', 'ora', 'p-limit', 'zod']);
const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(`${root}/package.json`, 'utf8'),
);
const packages = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });

const sources = readdirSync(`${root}/src`, { recursive: true });

/** Entries of threads and processes, which a bundle must keep as files of their own. */
const workers = sources
  .filter((path) => path.endsWith('-worker.ts'))
  .map((path) => [basename(path, '.ts'), `src/${path}`]);

/** sharp as the one CommonJS module it also is: its thirteen ECMAScript ones cost every start 30 to 60 ms more. */
const sharpByRequire = {
  name: 'sharp-by-require',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^sharp$/ }, ({ namespace }) =>
      namespace === 'by-require' ? { external: true } : { path: 'sharp', namespace: 'by-require' },
    );
    onLoad({ filter: /^sharp$/, namespace: 'by-require' }, () => ({
      contents: "export default require('sharp');",
    }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'bin/main.ts',
    commands: 'commands/index.ts',
    ...Object.fromEntries(workers),
  },
  outdir: 'dist/cli',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // oclif asks for the last two only when it runs from TypeScript
  external: [...packages.filter((name) => !BUNDLED.has(name)), 'typescript', 'ts-node'],
  plugins: [sharpByRequire],
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// what is read at run time lies beside the code that reads it, in the library and in the bundle
for (const path of sources.filter((name) => name.endsWith('.proto'))) {
  cpSync(`${root}/src/${path}`, `${root}/dist/${path}`);
  cpSync(`${root}/src/${path}`, `${root}/dist/cli/${basename(path)}`);
}

// the page of `imgtool serve`, likewise: script and style sheet bundled for browsers, the rest as it is
const page = `${root}/src/server/dashboard/client`;
await build({
  absWorkingDir: root,
  entryPoints: [
    { in: `${page}/main.ts`, out: 'page' },
    { in: `${page}/page.css`, out: 'page' },
  ],
  outdir: 'dist/server/dashboard/page',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome120', 'firefox121', 'safari17.4'],
  tsconfig: `${page}/tsconfig.json`,
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg'])
  cpSync(`${page}/${name}`, `${root}/dist/server/dashboard/page/${name}`);
cpSync(`${root}/dist/server/dashboard/page`, `${root}/dist/cli/page`, { recursive: true });
