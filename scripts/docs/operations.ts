import * as z from 'zod';
import { encodingFlags } from '../../commands/flags/batch.js';
import { kebab } from '../../commands/flags/derived.js';
import { OPERATIONS } from '../../src/operations/index.js';
import type { Operation } from '../../src/operations/operation.js';
import { outputSchema } from '../../src/recipe.js';
import { type Parameter, parametersOf } from '../../src/surface/parameters.js';
import { GENERATED, markdownTable, shell } from './markdown.js';

/** docs/operations.md: every operation with its parameters and examples. */
export function operationsPage(): string {
  const list = OPERATIONS.map(({ name, summary }) => [`[\`${name}\`](#${name})`, summary]);
  return `# Operations

${GENERATED}

Each operation is a command (\`imgtool NAME INPUTS...\`), a step of a chain (\`imgtool run INPUTS... --op NAME:key=value\`)
and a step of a [recipe](recipes.md). What each does to the pixels, exactly: [meaning.md](meaning.md).

${markdownTable(['operation', 'what it does'], list)}

Beside them, \`imgtool size\` (or \`info\`) tells what pictures are from their headers alone, and \`imgtool resize --thumb N\`
is \`imgtool thumbnail --size N\`.

${OPERATIONS.map(section).join('\n\n')}

## Output

How results are encoded. The same for every operation; in a recipe these are the keys of each entry of \`outputs\`.

${parameterTable(outputSchema, encodingFlags)}
`;
}

function section(operation: Operation): string {
  return `## ${operation.name}

${operation.summary}.

${parameterTable(operation.params)}

${shell(operation.examples.flatMap((example) => [commandLine(operation.name, example)]))}

As steps: ${operation.examples.map((example) => `\`${stepText(operation.name, example)}\``).join(', ')}.`;
}

/** The parameters of a schema; those that are no flag of their own are marked so when `flags` are given. */
function parameterTable(schema: z.ZodObject, flags?: Readonly<Record<string, unknown>>): string {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  const rows = parametersOf(schema).map((parameter) => [
    `\`${parameter.name}\``,
    flags === undefined || kebab(parameter.name) in flags ? `\`${flagText(parameter)}\`` : 'in recipes only',
    valuesOf(properties[parameter.name]),
    parameter.default === undefined ? '' : `\`${parameter.default}\``,
    parameter.description,
  ]);
  return markdownTable(['parameter', 'flag', 'values', 'default', 'meaning'], rows);
}

function flagText({ name, kind }: Parameter): string {
  return kind === 'boolean' ? `--${kebab(name)}, --no-${kebab(name)}` : `--${kebab(name)}`;
}

/** The values that a JSON Schema takes, in words. */
function valuesOf(schema: z.core.JSONSchema._JSONSchema | undefined): string {
  if (typeof schema !== 'object') return '';
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(', or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === 'boolean') return 'true, false';
  if (schema.type === 'integer') return `whole number${range(schema)}`;
  if (schema.type === 'number') return `number${range(schema)}`;
  return 'text';
}

function range({ minimum, exclusiveMinimum, maximum }: z.core.JSONSchema.JSONSchema): string {
  const from = typeof exclusiveMinimum === 'number' ? `above ${exclusiveMinimum}` : minimum;
  if (from === undefined && maximum === undefined) return '';
  return maximum === undefined ? `, ${from} or more` : `, ${from} to ${maximum}`;
}

function commandLine(name: string, params: Readonly<Record<string, unknown>>): string {
  const flags = Object.entries(params).map(([key, value]) => {
    if (value === true) return `--${kebab(key)}`;
    const text = String(value);
    return `--${kebab(key)}${text.startsWith('-') ? '=' : ' '}${/[^\w.%-]/.test(text) ? `'${text}'` : text}`;
  });
  return ['imgtool', name, './images', ...flags].join(' ');
}

function stepText(name: string, params: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(params).map(([key, value]) => (value === true ? key : `${key}=${value}`));
  return pairs.length === 0 ? name : `${name}:${pairs.join(',')}`;
}
