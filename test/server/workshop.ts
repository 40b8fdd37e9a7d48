import { readdir, readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, onTestFinished, vi } from 'vitest';
import type { ProcessOptions } from '../../src/process.js';
import type { Recipe, RecipeInput } from '../../src/recipe.js';
import type { CompatOptions } from '../../src/server/compat/index.js';
import type { Resolve } from '../../src/server/fetch/guard.js';
import type { FrontSettings } from '../../src/server/http/front-routes.js';
import type { JobOptions } from '../../src/server/jobs/desk.js';
import type * as Service from '../../src/server/service.js';
import type { TlsFiles } from '../../src/server/tls.js';
import { tempDir } from '../support/fixtures.js';

// Decoder processes start from a built file, so this is the built code; the global setup has built it.
const built = (name: string): string => new URL(`../../dist/${name}.js`, import.meta.url).href;
const { imageService }: typeof Service = await import(built('server/service'));
const { processImage }: typeof import('../../src/process.js') = await import(built('process'));
const { parseRecipe }: typeof import('../../src/recipe.js') = await import(built('recipe'));
const { tuneEngine }: typeof import('../../src/versions.js') = await import(built('versions'));
const { WIDE_LIMITS }: typeof import('../../src/limits.js') = await import(built('limits'));

tuneEngine();

/** Aborted by nobody. */
export const NEVER = new AbortController().signal;

/** A service that is closed when the running test ends. */
export function service(options: Service.ServiceOptions = {}): Service.ImageService {
  const made = imageService(options);
  onTestFinished(() => made.close());
  return made;
}

/** A recipe as the built code knows it. */
export function recipe(raw: RecipeInput): Recipe {
  return parseRecipe(raw);
}

/** The bytes that the pipeline itself makes, without a server. */
export async function direct(bytes: Uint8Array, raw: RecipeInput): Promise<Uint8Array> {
  const options: ProcessOptions = { limits: WIDE_LIMITS, lenient: false, threads: 1 };
  const made = await processImage({ kind: 'bytes', bytes }, recipe(raw), options);
  const bytesMade = made?.results[0]?.bytes;
  if (bytesMade === undefined) throw new Error('expected a result');
  return bytesMade;
}

/** Spools bytes as an upload would be. */
export function upload(to: Service.ImageService, bytes: Uint8Array) {
  return to.spool.write([bytes], to.limits.bytes, NEVER);
}

/** Runs a recipe over bytes. */
export async function process(
  at: Service.ImageService,
  bytes: Uint8Array,
  raw: RecipeInput,
  signal: AbortSignal = NEVER,
): Promise<Service.Served> {
  const input = await upload(at, bytes);
  try {
    return await at.process(input, recipe(raw), signal);
  } finally {
    input.release();
  }
}

/** Longer than anything a test waits for takes on a busy machine: a guard against hanging, no measurement. */
export const SOON = { timeout: 50_000 } as const;

/** What a check gives once it passes; on a machine with much to do that may take a while. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { ...SOON, interval: 25 });
}

/** Resolves when nothing lies in the spool any more. */
export async function emptied({ spool }: Pick<Service.ImageService, 'spool'>): Promise<void> {
  await eventually(async () => expect(await readdir(spool.folder)).toEqual([]));
}

/** A file's bytes. */
export function bytesOf(path: string): Promise<Buffer> {
  return readFile(path);
}

/** A picture of 9 megapixels that must be held whole: bulky. */
export function bulky(seed: number): Promise<Buffer> {
  return noise(seed, 3000, true);
}

/** A picture of noise, another one for each seed, that takes an encoder minutes with {@link ENDLESS}. */
export function noise(seed: number, side = 2000, progressive = false): Promise<Buffer> {
  const data = Buffer.alloc(side * side * 3);
  let state = seed;
  for (let at = 0; at < data.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = state >>> 24;
  }
  const raw = { width: side, height: side, channels: 3 } as const;
  return sharp(data, { raw }).jpeg({ quality: 30, progressive }).toBuffer();
}

/** A recipe that would take minutes: only a kill ends it within a test's time. */
export const ENDLESS: RecipeInput = { outputs: [{ format: 'avif', effort: 9, quality: 90 }] };

const { startServer }: typeof import('../../src/server/server.js') = await import(built('server/server'));
const { openLogs }: typeof import('../../src/server/logs.js') = await import(built('server/logs'));
const { rootFrom }: typeof import('../../src/server/fetch/roots.js') = await import(
  built('server/fetch/roots')
);

/** What a test sets of a server; the rest is as the command sets it. */
export interface TestServer extends Service.ServiceOptions {
  readonly host?: string;
  readonly token?: string;
  readonly urls?: readonly string[];
  readonly roots?: readonly string[];
  readonly allowPrivate?: boolean;
  readonly messageBytes?: number;
  readonly reflection?: boolean;
  readonly resolve?: Resolve;
  readonly front?: FrontSettings;
  readonly tls?: TlsFiles;
  readonly publicUrl?: string;
  readonly connections?: number;
  /** With it, even empty, the server has a queue, in a folder of its own. */
  readonly jobs?: Partial<JobOptions>;
  readonly compat?: CompatOptions;
}

/** A server on a free port of loopback, closed when the running test ends. */
export async function server({
  roots = [],
  allowPrivate = false,
  resolve,
  jobs,
  ...options
}: TestServer = {}) {
  const logs = await tempDir();
  const queue = jobs && { folder: await tempDir(), ttl: 86_400_000, limitMs: 60_000, ...jobs };
  const running = await startServer({
    host: '127.0.0.1',
    ports: [0],
    connections: 1000,
    messageBytes: 32 * 1024 * 1024,
    reflection: true,
    front: { scale: '1024x768', fit: 'fill', grayscale: false },
    urls: [],
    version: '0.0.0',
    ...options,
    ...(queue && { jobs: queue }),
    roots: roots.map(rootFrom),
    addresses: { allowPrivate, ...(resolve && { resolve }) },
    logs: await openLogs({ folder: logs }),
  });
  onTestFinished(() => running.close());
  const port = running.ports[0]?.port ?? 0;
  return { ...running, port, url: `http://127.0.0.1:${port}`, logs };
}

const { startFront }: typeof import('../../src/server/front.js') = await import(built('server/front'));

/** The small HTTP API in front of a processing service, closed when the running test ends. */
export async function front(upstream: string) {
  const running = await startFront({
    host: '127.0.0.1',
    ports: [0],
    connections: 1000,
    urls: [],
    addresses: { allowPrivate: false },
    front: { scale: '1024x768', fit: 'fill', grayscale: false },
    upstream,
    logs: await openLogs({ folder: await tempDir() }),
  });
  onTestFinished(() => running.close());
  return { ...running, url: `http://127.0.0.1:${running.ports[0]?.port}` };
}
