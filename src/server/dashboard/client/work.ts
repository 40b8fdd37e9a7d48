import { ask, askJson } from './api.js';
import type { Job, RecipeData } from './contract.js';

/** What the server made of a picture. */
export interface Made {
  readonly picture: Blob;
  /** Pixels, as the server wrote them. */
  readonly width: string;
  readonly height: string;
  /** Of a file with the result: `webp`. */
  readonly extension: string;
  /** From the question to the last byte of the answer. */
  readonly ms: number;
}

/** Runs a recipe over a picture at once. */
export async function process(file: File, recipe: RecipeData, signal: AbortSignal): Promise<Made> {
  const started = performance.now();
  const response = await ask('v1/process', { method: 'POST', body: bodyOf(file, recipe), signal });
  const picture = await response.blob();
  const told = (name: string): string => response.headers.get(name) ?? '';
  return {
    picture,
    width: told('x-imgtool-width'),
    height: told('x-imgtool-height'),
    extension: /filename="[^"]*\.(\w+)"/.exec(told('content-disposition'))?.[1] ?? 'bin',
    ms: performance.now() - started,
  };
}

/** Hands the same in as a job. */
export function submit(file: File, recipe: RecipeData, priority: string): Promise<Job> {
  const init = { method: 'POST', body: bodyOf(file, recipe), headers: { prefer: 'respond-async' } };
  return askJson(`v1/process?priority=${priority}`, init);
}

function bodyOf(file: File, recipe: RecipeData): FormData {
  const body = new FormData();
  body.set('recipe', JSON.stringify(recipe));
  body.set('image', file, file.name);
  return body;
}
