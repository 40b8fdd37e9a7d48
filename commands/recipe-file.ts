import { readFile } from 'node:fs/promises';
import { expected, ImgtoolError } from '../src/errors.js';
import { stemOf } from '../src/naming.js';

/** Reads a recipe file (JSON is YAML too); its name is that of the file when it has none. Throws E_RECIPE or E_USAGE. */
export async function readRecipe(path: string): Promise<Record<string, unknown>> {
  const text = await readText(path);
  const { parse } = await import('yaml');
  let recipe: unknown;
  try {
    // aliases that multiply (a "billion laughs") stop at a hundred
    recipe = parse(text, { maxAliasCount: 100 });
  } catch (thrown) {
    throw new ImgtoolError(
      'E_RECIPE',
      expected('YAML or JSON', thrown instanceof Error ? thrown.message.split('\n')[0] : path),
      { file: path, cause: thrown },
    );
  }
  if (typeof recipe !== 'object' || recipe === null || Array.isArray(recipe)) {
    throw new ImgtoolError(
      'E_RECIPE',
      expected('a recipe with steps', Array.isArray(recipe) ? 'a list' : `${recipe}`),
      { file: path },
    );
  }
  return {
    name: stemOf(path)
      .replaceAll(/[^\w.-]/g, '-')
      .slice(0, 64),
    ...recipe,
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new ImgtoolError('E_USAGE', expected('a readable recipe file', path), {
      field: 'recipe',
      cause: thrown,
    });
  }
}
