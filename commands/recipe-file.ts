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

/** An error of a recipe, told with the line and column of the file where it is written. */
export async function inFile(thrown: unknown, path: string): Promise<unknown> {
  if (!(thrown instanceof ImgtoolError) || thrown.code !== 'E_RECIPE') return thrown;
  const { code, message, stage, field, cause } = thrown;
  const place = await placeIn(path, field?.split('.') ?? []);
  return new ImgtoolError(code, message, {
    ...(stage && { stage }),
    field: [place, field].filter((part) => part !== undefined).join(': '),
    cause,
  });
}

/** `file:line:column` of a path in the file, or of as much of the path as there is. */
async function placeIn(path: string, keys: readonly string[]): Promise<string> {
  const { isMap, isNode, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(await readText(path), { lineCounter });
  for (let length = keys.length; length > 0; length -= 1) {
    const holder = document.getIn(keys.slice(0, length - 1), true);
    const pair = isMap(holder) ? holder.items.find(({ key }) => `${key}` === keys[length - 1]) : undefined;
    const node = pair?.key ?? document.getIn(keys.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    const { line, col } = lineCounter.linePos(node.range[0]);
    return `${path}:${line}:${col}`;
  }
  return path;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new ImgtoolError('E_USAGE', expected('a readable recipe file', path), {
      field: '--recipe',
      cause: thrown,
    });
  }
}
