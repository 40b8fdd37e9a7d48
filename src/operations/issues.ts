import type * as z from 'zod';
import { expected } from '../errors.js';
import { nearest } from './nearest.js';

/** One schema violation in the house's words, with the path of the value it is about. */
export function describeIssue(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  raw: unknown,
): { path: string[]; message: string } {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return { path: [...path, issue.keys[0] ?? ''], message: unknownKey(schema, issue) };
  if (issue.code === 'custom') return { path, message: issue.message };
  return { path, message: expected(wanted(issue), valueAt(raw, issue.path)) };
}

function unknownKey(schema: z.ZodType, issue: z.core.$ZodIssueUnrecognizedKeys): string {
  const known = keysAt(schema, issue.path);
  const near = nearest(issue.keys[0] ?? '', known);
  const choice = known.length > 0 ? `one of ${known.join(', ')}` : 'a known parameter';
  return expected(choice, issue.keys[0]) + (near === undefined ? '' : `; did you mean ${near}?`);
}

/** The keys that the object at a path may have. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const def = schema._zod.def as z.core.$ZodTypeDef & {
    innerType?: z.core.$ZodType;
    element?: z.core.$ZodType;
    valueType?: z.core.$ZodType;
    shape?: Record<string, z.core.$ZodType>;
  };
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(key)] ?? def.element ?? def.valueType;
  return next === undefined ? [] : keysAt(next, rest);
}

function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a ${issue.expected}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`;
    case 'invalid_union':
      return issue.errors.flatMap((branch) => branch.slice(0, 1).map(wanted)).join(' or ');
    default:
      return issue.message.replace(/^Invalid (input|string): /, '').replace(/^expected /, '');
  }
}

/** What people call the types whose names are not their own. */
const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = raw;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return value ?? 'nothing';
}
