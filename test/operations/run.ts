import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { imgtool } from '../support/cli.js';
import { tempDir } from '../support/fixtures.js';

/** What one run says of one input. */
export interface Told {
  readonly source: string;
  readonly status: 'done' | 'skipped' | 'failed';
  readonly outputs?: readonly Written[];
  readonly passes?: number;
  readonly notes?: readonly string[];
  readonly error?: { readonly code: string; readonly stage: string; readonly message: string };
}

/** One written file, as the report has it. */
interface Written {
  readonly path: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly bytes: number;
}

/** The one result of an input. */
export interface Result extends Written {
  readonly passes: number;
  readonly notes: readonly string[];
}

/** Runs the built command line over files into a new folder and gives what `--json` tells of each, in their order. */
export async function told(
  command: string,
  files: readonly string[],
  flags: readonly string[] = [],
): Promise<Told[]> {
  const out = await tempDir();
  const args = [
    command,
    ...files,
    ...flags,
    '--out',
    out,
    '--no-manifest',
    '--on-collision',
    'number',
    '--json',
  ];
  const { stdout, stderr } = await imgtool(args);
  expect(String(stdout), String(stderr)).toMatch(/^\{/);
  const { outcomes } = JSON.parse(String(stdout)) as { outcomes: Told[] };
  return files.map((file) => {
    const found = outcomes.find(({ source }) => source === file);
    if (found === undefined) throw new Error(`no outcome for ${file} in ${stdout}`);
    return found;
  });
}

/** {@link told} of files that all succeed: the one result of each. */
export async function run(
  command: string,
  files: readonly string[],
  flags: readonly string[] = [],
): Promise<Result[]> {
  return (await told(command, files, flags)).map(({ outputs, passes = 0, notes = [], error }) => {
    expect(error).toBeUndefined();
    const [output] = outputs ?? [];
    if (output === undefined) throw new Error('no output');
    return { ...output, passes, notes };
  });
}

/** The result of a single file. */
export async function one(command: string, file: string, flags: readonly string[] = []): Promise<Result> {
  const [result] = await run(command, [file], flags);
  if (result === undefined) throw new Error('no result');
  return result;
}

/** The bytes of a written result. */
export function bytesOf({ path }: Result): Promise<Buffer> {
  return readFile(path);
}
