import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { MANIFEST_NAME } from '../../src/io/names.js';
import type { Entry } from '../../src/manifest.js';

/** A folder of one test's own, and how to be rid of it. */
export async function workshop(): Promise<{ folder: string; log: string; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'imgtool-manifest-'));
  return {
    folder,
    log: join(folder, MANIFEST_NAME),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A finished entry for an output, `size` telling versions of it apart. */
export function entryOf(
  output: string,
  size = 1,
): Entry & { readonly made: { size: number; mtimeMs: number } } {
  const source = { name: `../in/${output}`, size: 10, mtimeMs: 1_700_000_000_000.25 };
  return { output, source, key: 'k', made: { size, mtimeMs: 5.5 }, checkedAt: 1_700_000_100_000 };
}

/** The log's lines. */
export async function linesOf(log: string): Promise<string[]> {
  return (await readFile(log, 'utf8')).split('\n');
}

/** Bundles writer.ts into the folder as a script that plain node runs. */
export async function buildWriter(folder: string): Promise<string> {
  const outfile = join(folder, 'writer.mjs');
  const entry = fileURLToPath(new URL('./writer.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
  });
  return outfile;
}

/** Starts a writer; its stdout says what is on record. */
export function startWriter(script: string, ...args: readonly (string | number)[]): ChildProcess {
  return spawn(process.execPath, [script, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The writer's exit code, or its signal. */
export async function ended(child: ChildProcess): Promise<unknown> {
  child.stdout?.resume();
  const [code, signal] = await once(child, 'exit');
  return signal ?? code;
}
