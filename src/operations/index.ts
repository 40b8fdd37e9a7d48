import { expected, ImgtoolError } from '../errors.js';
import { grayscale } from './grayscale.js';
import { mean } from './mean.js';
import { nearest } from './nearest.js';
import type { Operation } from './operation.js';
import { resize } from './resize.js';
import { rotate } from './rotate.js';
import { scale } from './scale.js';
import { thumbnail } from './thumbnail.js';

/** The registry: commands, flags, queries, schemas and docs all derive from this list. */
export const OPERATIONS: readonly Operation[] = [resize, thumbnail, scale, rotate, mean, grayscale];

/** The operation of that name; throws E_RECIPE that names the nearest one. */
export function operationNamed(name: string, field = 'op'): Operation {
  const found = OPERATIONS.find((operation) => operation.name === name);
  if (found !== undefined) return found;
  const names = OPERATIONS.map((operation) => operation.name);
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new ImgtoolError('E_RECIPE', `${expected(`an operation (${names.join(', ')})`, name)}${hint}`, {
    stage: 'plan',
    field,
  });
}
