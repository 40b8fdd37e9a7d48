import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Options } from 'execa';
import sharp from 'sharp';
import { imgtool } from './cli.js';
import { tempDir } from './fixtures.js';

/** What one run said and how it ended. */
export interface Ran {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** A folder of a test's own, to fill with files and to run commands in. */
export interface Workplace {
  readonly path: string;
  /** Absolute path of a file in it. */
  at(name: string): string;
  /** Writes files, making the folders they lie in. */
  put(files: Readonly<Record<string, Uint8Array | string>>): Promise<void>;
  /** The files and links below a folder of it, sorted, without manifests. */
  files(folder?: string): Promise<string[]>;
  /** Runs imgtool in it; a run that hangs is killed. */
  run(args: readonly string[], options?: Options): Promise<Ran>;
  /** Runs it with `--json` and gives the document. */
  json(args: readonly string[], options?: Options): Promise<Ran & { report: Report }>;
}

/** The parts of a JSON report that these tests look at. */
export interface Report {
  readonly outcomes: readonly OutcomeRow[];
  readonly plan: readonly { source: string; target?: string; action: string; error?: ErrorRow }[];
  readonly summary: {
    readonly total: number;
    readonly done: number;
    readonly skipped: number;
    readonly failed: number;
    readonly unreadable: Record<string, number>;
  };
  readonly stopped?: true;
  readonly error?: ErrorRow;
}

export interface OutcomeRow {
  readonly source: string;
  readonly status: 'done' | 'skipped' | 'failed';
  readonly outputs?: readonly { readonly path: string; readonly width: number; readonly height: number }[];
  readonly reason?: string;
  readonly notes?: readonly string[];
  readonly error?: ErrorRow;
}

export interface ErrorRow {
  readonly code: string;
  readonly stage?: string;
  readonly file?: string;
  readonly message: string;
}

/** Longer than any run here takes on a slow machine: a guard against hanging, no measurement. */
const HANGS_AFTER = 50_000;

const MANIFEST = '.imgtool-manifest.ndjson';

/** A new workplace, removed when the running test ends. */
export async function workplace(): Promise<Workplace> {
  const path = await tempDir();
  return workplaceAt(path);
}

/** A folder that is there already as a workplace. */
export function workplaceAt(path: string): Workplace {
  const run = async (args: readonly string[], options: Options = {}): Promise<Ran> => {
    const { exitCode, stdout, stderr } = await imgtool(args, { cwd: path, timeout: HANGS_AFTER, ...options });
    return { code: exitCode, out: String(stdout ?? ''), err: String(stderr ?? '') };
  };
  return {
    path,
    at: (name) => join(path, name),
    async put(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), content);
      }
    },
    files: (folder = '.') => filesBelow(join(path, folder)),
    run,
    async json(args, options) {
      const ran = await run([...args, '--json'], options);
      return { ...ran, report: JSON.parse(ran.out) as Report };
    },
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name !== MANIFEST)
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** A plain picture, encoded; sides in pixels. */
export async function picture(
  format: 'png' | 'jpeg' | 'webp' = 'png',
  width = 30,
  height = 20,
  background = 'teal',
): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

/** A small vector picture. */
export const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>';

/** `source status` or `source code` of each outcome, sorted. */
export function told(report: Report): string[] {
  return report.outcomes.map(({ source, status, error }) => `${source} ${error?.code ?? status}`).sort();
}
