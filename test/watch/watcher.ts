import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import type { Workplace } from '../support/workplace.js';

/** A line that a watch wrote for programs; which fields there are depends on its type. */
export interface Row {
  readonly type: string;
  readonly source: string;
  readonly status: string;
  readonly reason?: string;
  readonly state: string;
  readonly path: string;
  readonly out: string;
  readonly folders: readonly string[];
  readonly health: number;
  readonly taken: boolean;
  readonly attempt: number;
  readonly error: { readonly code: string; readonly message: string };
  readonly outputs: readonly { readonly path: string; readonly width: number }[];
}

/** A running `imgtool watch`. */
export interface Watching {
  readonly child: ChildProcess;
  /** Everything it said so far. */
  readonly rows: readonly Row[];
  errors(): string;
  /** Waits for a line, of those said so far or still to come. */
  row(what: string, wanted: (row: Row) => boolean): Promise<Row>;
  /** Waits for so many pictures with that end. */
  outcomes(count: number, status?: string): Promise<readonly Row[]>;
  caughtUp(): Promise<unknown>;
  /** Sends a signal and gives the exit code, or the signal that it died of. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Longer than anything here takes on a slow machine: a guard against hanging, no measurement. */
const HANGS_AFTER = 45_000;

/** Starts a watch in a workplace, killed when the running test ends. */
export function watching(
  place: Workplace,
  args: readonly string[],
  command: readonly string[] = [],
): Watching {
  const [program = process.execPath, ...before] = [...command, process.execPath];
  const child = spawn(program, [...before, CLI, 'watch', ...args, '--ndjson'], {
    cwd: place.path,
    env: { ...process.env, ...userEnvironment() } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const rows: Row[] = [];
  let errors = '';
  const looks = new Set<() => void>();
  const said = (): void => looks.forEach((look) => void look());
  if (child.stdout === null || child.stderr === null) throw new Error('expected pipes');
  createInterface(child.stdout).on('line', (line) => {
    rows.push(JSON.parse(line) as Row);
    said();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
    said();
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const until = <T>(what: string, look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        const found = look();
        if (found === undefined) return;
        stop();
        resolve(found);
      };
      const fail = (why: string): void => {
        stop();
        reject(
          new Error(`expected ${what}, ${why}; last lines: ${JSON.stringify(rows.slice(-5))}; ${errors}`),
        );
      };
      const guard = setTimeout(() => fail('received nothing for long'), HANGS_AFTER);
      const closed = (): void => fail('the watch ended');
      const stop = (): void => {
        clearTimeout(guard);
        looks.delete(attempt);
        child.off('close', closed);
      };
      looks.add(attempt);
      child.on('close', closed);
      attempt();
    });
  const row = (what: string, wanted: (row: Row) => boolean): Promise<Row> =>
    until(what, () => rows.find(wanted));
  return {
    child,
    rows,
    errors: () => errors,
    row,
    caughtUp: () => row('to catch up', ({ type }) => type === 'caught-up'),
    outcomes: (count, status = 'done') =>
      until(`${count} ${status}`, () => {
        const found = rows.filter((it) => it.type === 'outcome' && it.status === status);
        return found.length >= count ? found : undefined;
      }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code, death] = (await ended) as [number, null] | [null, NodeJS.Signals];
      return code ?? death;
    },
  };
}

/** Waits until something holds of files, which nobody tells of. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const start = Date.now(); !(await holds()); ) {
    if (Date.now() - start > HANGS_AFTER) throw new Error(`expected ${what}, received nothing for long`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether something lies at a path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The bytes of a small picture in one colour. */
export function picture(red = 0, width = 40, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> {
  return sharp({ create: { width, height: 30, channels: 3, background: { r: red, g: 80, b: 160 } } })
    .toFormat(format)
    .toBuffer();
}

/** The bytes of a picture that compresses badly and takes long to decode. */
export function heavyPicture(seed: number, side = 3000): Promise<Buffer> {
  const channels = 3;
  const data = Buffer.alloc(side * side * channels);
  for (let at = 0, state = seed; at < data.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[at] = state >>> 24;
  }
  return sharp(data, { raw: { width: side, height: side, channels } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}
