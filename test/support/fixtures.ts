import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { FIXTURES } from '../../fixtures/manifest.js';

/** The folder of fixtures, made and photographed. */
export const FIXTURE_FOLDER = fileURLToPath(new URL('../../fixtures', import.meta.url));

/** Where `makeFixtures` puts its files. */
export const GENERATED = join(FIXTURE_FOLDER, 'generated');

/** The absolute path of a made file by its name in the manifest, as `png/rgb16.png`; throws on an unknown name. */
export function fixture(name: string): string {
  if (!FIXTURES.some(({ file }) => file === name)) {
    throw new Error(`expected the name of a file in fixtures/manifest.ts, received ${name}`);
  }
  return join(GENERATED, name);
}

/** The absolute paths of the real photographs, sorted by name. */
export function photos(): string[] {
  const folder = join(FIXTURE_FOLDER, 'photos');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** The folder of a larger collection that a developer may have (`IMGTOOL_CORPUS`); tests must pass without. */
export function corpus(): string | undefined {
  return process.env.IMGTOOL_CORPUS || undefined;
}

/** A new empty folder that is removed when the running test ends; only to be called inside a test. */
export async function tempDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imgtool-test-'));
  // what was started in it and killed may be writing its last
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
