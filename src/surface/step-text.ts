import { expected, ImgtoolError } from '../errors.js';
import { operationNamed } from '../operations/index.js';
import { fromTexts } from './parameters.js';

/**
 * A step written as `name[:k=v[,k=v]]`, as recipe data. A backslash takes the next character as it is; `k` alone
 * means `k=true`. Throws E_RECIPE when it is not of that form; the error names the step by its `index` in the recipe.
 */
export function parseStep(text: string, index?: number): { op: string } & Record<string, unknown> {
  const field = index === undefined ? 'op' : `steps.${index}`;
  const [name, ...rest] = splitAt(text, ':', 1);
  const operation = operationNamed(unescaped(name ?? ''), field);
  const pairs = rest.length === 0 ? [] : splitAt(rest[0] ?? '', ',');
  return {
    ...fromTexts(
      operation.params,
      Object.fromEntries(pairs.map((pair) => keyAndValue(pair, text, field))),
      index === undefined ? operation.name : field,
    ),
    op: operation.name,
  };
}

function keyAndValue(pair: string, step: string, field: string): [string, string] {
  const [key = '', value] = splitAt(pair, '=', 1);
  if (key === '')
    throw new ImgtoolError('E_RECIPE', expected('name:key=value,key=value', step), {
      stage: 'plan',
      field,
    });
  return [unescaped(key), value === undefined ? 'true' : unescaped(value)];
}

/** Splits at a separator that no backslash stands before, at most `most` times. */
function splitAt(text: string, separator: string, most = Number.POSITIVE_INFINITY): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length && parts.length < most; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, '$1');
}
