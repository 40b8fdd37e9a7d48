// Does what a user does with the published package: packs it, installs the tarball in a new folder elsewhere, runs the
// command line there, and imports the library with its types. With --nodes, runs the command line on newer Nodes too.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'imgtool-elsewhere-'));
const photos = join(root, 'fixtures/photos');
/** The newest majors beside the floor; registry packages that hold nothing but a Node for Linux. */
const NODES = ['22', '24'];

try {
  const tarball = packed();
  install(tarball);
  commandLine(process.execPath);
  library();
  if (process.argv.includes('--nodes')) for (const node of newerNodes()) commandLine(node);
  console.log('the package installs and runs elsewhere');
} finally {
  rmSync(home, { recursive: true, force: true });
  // left behind when packing fails half way; npm would prefer it to package-lock.json
  rmSync(join(root, 'npm-shrinkwrap.json'), { force: true });
}

function packed() {
  run('npm', ['pack', '--pack-destination', home], root);
  const name = readdirSync(home).find((file) => file.endsWith('.tgz'));
  const listed = run('tar', ['-tzf', join(home, name)], home).split('\n');
  for (const wanted of [
    'package/npm-shrinkwrap.json',
    'package/oclif.manifest.json',
    'package/LICENSE',
    'package/README.md',
  ])
    expect(listed.includes(wanted), `${wanted} in the tarball`);
  const stray = listed.find((file) => /^package\/(fixtures|test|src|commands|bench)\//.test(file));
  expect(stray === undefined, `no sources, tests or photographs in the tarball, received ${stray}`);
  console.log(`${name}: ${listed.length} files, ${(statSync(join(home, name)).size / 1000).toFixed(0)} kB`);
  return join(home, name);
}

function install(tarball) {
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--no-audit', '--no-fund', tarball], home);
}

function commandLine(node) {
  const bin = join(home, 'node_modules/imgtool/bin/run.cjs');
  const version = run(node, [bin, '--version'], home);
  expect(/^imgtool\/\d+\.\d+\.\d+/.test(version), `a version, received ${version}`);
  expect(
    run(node, [bin, '--help'], home).includes('imgtool resize ./images --thumb 100'),
    'help with an example',
  );
  const out = mkdtempSync(join(home, 'thumbs-'));
  run(node, [bin, 'resize', photos, '--thumb', '100', '--out', out], home);
  const made = readdirSync(out).filter((file) => file.endsWith('.jpg'));
  expect(made.length === readdirSync(photos).length, `a thumbnail of every photograph, received ${made}`);
  console.log(`ok ${version.trim()}`);
}

function library() {
  const program = `
    import { OPERATIONS, parseRecipe, processImage, type Processed, WIDE_LIMITS } from 'imgtool';
    const recipe = parseRecipe({ steps: [{ op: 'thumbnail', size: 64 }] });
    const path: string = ${JSON.stringify(join(photos, 'pagoda.jpg'))};
    const processed: Processed | undefined = await processImage({ kind: 'path', path }, recipe, {
      limits: WIDE_LIMITS, lenient: false, threads: 1,
    });
    console.log(OPERATIONS.length, processed?.results[0]?.width);
  `;
  mkdirSync(join(home, 'out'));
  writeFileSync(join(home, 'program.ts'), program);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--outDir',
    'out',
    '--rootDir',
    '.',
  ];
  run(process.execPath, [tsc, ...options, ...types, '--ignoreConfig', 'program.ts'], home);
  const said = run(process.execPath, ['out/program.js'], home);
  expect(/^\d+ 64\n$/.test(said), `operations and a width of 64 from the library, received ${said}`);
  console.log('ok library import with types');
}

function newerNodes() {
  const aliases = NODES.map((major) => `node${major}@npm:node-${process.platform}-${process.arch}@${major}`);
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...aliases], home);
  return NODES.map((major) => join(home, `node_modules/node${major}/bin/node`));
}

function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  }
}

function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}
