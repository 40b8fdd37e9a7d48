import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { RecipeInput } from '../../../src/recipe.js';
import { imgtool } from '../../support/cli.js';
import { photos, tempDir } from '../../support/fixtures.js';
import { ready } from '../decoders.js';
import { collected, failure, grpcClient } from '../grpc-client.js';
import { bytesOf, emptied, server } from '../workshop.js';

type Served = Awaited<ReturnType<typeof server>>;

/** What a door answered: `OK` or the error's code, and all that it said. */
export interface Answer {
  readonly code: string;
  readonly said: string;
}

/** A way to have a recipe run over bytes. */
export interface Door {
  ask(bytes: Uint8Array, recipe: object): Promise<Answer>;
  /** That it goes on serving, and keeps nothing of what was refused. */
  unharmed(): Promise<void>;
}

/** The three public doors, each with limits of 50 megapixels in and out; SVG off. */
export const DOORS: readonly (readonly [string, () => Promise<Door>])[] = [
  ['HTTP', async () => httpDoor(await server())],
  ['gRPC', async () => grpcDoor(await server())],
  ['the command line', async () => commandLine()],
];

/** Multipart HTTP. */
export function httpDoor(at: Served): Door {
  return {
    unharmed: () => unharmed(at),
    async ask(bytes, recipe) {
      const form = new FormData();
      form.set('image', new Blob([new Uint8Array(bytes)]));
      form.set('recipe', JSON.stringify(recipe));
      const response = await fetch(`${at.url}/v1/process`, { method: 'POST', body: form });
      const said = await response.text();
      return { code: response.status === 200 ? 'OK' : String(JSON.parse(said).code), said };
    },
  };
}

/** Streams over gRPC. */
export function grpcDoor(at: Served): Door {
  return {
    unharmed: () => unharmed(at),
    async ask(bytes, recipe) {
      const call = grpcClient(at.port, 'imgtool.v1.ImageService').stream('ProcessStream');
      const answers = collected(call);
      call.write({ spec: { recipe: { json: JSON.stringify(recipe) } } });
      call.write({ chunk: { offset: 0, data: bytes } });
      call.end();
      const refused = await failure(answers.then(() => Promise.reject({ code: 0, details: '' })));
      const [reason] = /\bE_[A-Z_]+/.exec(refused.rich) ?? [];
      return { code: refused.code === 0 ? 'OK' : (reason ?? 'none'), said: refused.details };
    },
  };
}

/** `imgtool run`, in a folder of its own. */
export async function commandLine(...flags: string[]): Promise<Door> {
  const folder = await tempDir();
  const ask: Door['ask'] = async (bytes, recipe) => {
    await writeFile(join(folder, 'in.bin'), bytes);
    await writeFile(join(folder, 'recipe.json'), JSON.stringify(recipe));
    const limits = ['--limit-pixels', '50000000', '--if-exists', 'overwrite', ...flags];
    const args = ['run', 'in.bin', '--recipe', 'recipe.json', '--out', 'o', '--json', ...limits];
    const { stdout, stderr, signal } = await imgtool(args, { cwd: folder, timeout: 50_000 });
    expect(signal).toBeUndefined();
    expect(String(stderr)).not.toMatch(/\n\s+at |E_INTERNAL/);
    const { outcomes = [], error } = JSON.parse(String(stdout));
    return { code: error?.code ?? outcomes[0]?.error?.code ?? 'OK', said: String(stdout) };
  };
  return {
    ask,
    async unharmed() {
      expect(await ask(await bytesOf(PHOTO), SMALL)).toMatchObject({ code: 'OK' });
    },
  };
}

const [PHOTO = ''] = photos();
const SOON = { timeout: 30_000 };
const SMALL: RecipeInput = { steps: [{ op: 'thumbnail', size: 10 }] };

/** That a server answers a good request, works at nothing, and keeps nothing on disk. */
export async function unharmed({ url, service }: Served): Promise<void> {
  const body = new Uint8Array(await bytesOf(PHOTO));
  const idle = { running: 0, waiting: 0, workersBusy: [] };
  const isIdle = (): void => expect(service.state()).toMatchObject(idle);
  await vi.waitFor(isIdle, SOON);
  // a process that starts late must not take the time of the request
  await ready({ service });
  const response = await fetch(`${url}/v1/process?thumb=10`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  await vi.waitFor(isIdle, SOON);
  await emptied({ spool: service.spool });
}
