import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Where a bundle finds what is not in it. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles child.ts into a folder as a script that plain node runs; SQLite's binding stays where it is installed. */
export async function buildChild(folder: string): Promise<string> {
  const outfile = join(folder, 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./child.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    alias: { '@photostructure/sqlite': join(ROOT, 'node_modules/@photostructure/sqlite/dist/index.mjs') },
    external: [join(ROOT, 'node_modules/@photostructure/sqlite/dist/index.mjs')],
    outfile,
  });
  return outfile;
}

/** Starts a child; what it says comes on stdout. */
export function startChild(script: string, ...args: readonly (string | number)[]): ChildProcess {
  return spawn(process.execPath, [script, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** All lines of a child until it ends; `heard` is called with each as it comes, and its number. */
export async function linesOf(
  child: ChildProcess,
  heard: (line: string, number: number) => void = () => undefined,
): Promise<{ lines: string[]; end: unknown }> {
  const over = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    lines.push(line);
    heard(line, lines.length);
  }
  const [code, signal] = await over;
  return { lines, end: signal ?? code };
}
