import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { OPERATIONS } from '../../operations/index.js';
import { outputSchema, recipeSchema } from '../../recipe.js';
import { RECIPE_KEYS } from './recipe-query.js';

/** `/v1/operations`: the registry as data, for programs that build recipes or forms for them. */
export function operationsRoute(app: FastifyInstance): void {
  const described = JSON.stringify(registry());
  app.get('/v1/operations', async (_request, reply) =>
    reply.type('application/json').header('cache-control', 'no-cache').send(described),
  );
}

/** Its description in OpenAPI. */
export function operationsPath(): Json {
  const schema = { type: 'object', description: 'a JSON Schema' };
  const operation = {
    type: 'object',
    required: ['name', 'summary', 'phase', 'params', 'examples'],
    properties: {
      name: { type: 'string' },
      summary: { type: 'string' },
      phase: { type: 'string', description: 'its place in the order of a flat query' },
      params: schema,
      examples: { type: 'array', items: { type: 'object' } },
    },
  };
  const properties = { operations: { type: 'array', items: operation }, output: schema, recipe: schema };
  const content = {
    'application/json': { schema: { type: 'object', required: Object.keys(properties), properties } },
  };
  return {
    '/v1/operations': {
      get: {
        operationId: 'operations',
        summary:
          'List the operations with JSON Schemas of their parameters, of those of a result, and of a recipe as a whole',
        responses: {
          200: { description: 'the registry', content },
          default: { $ref: '#/components/responses/Problem' },
        },
      },
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Each operation with the JSON Schema of its parameters; those of an output, and of the recipe as a whole. */
function registry(): Json {
  return {
    operations: OPERATIONS.map(({ name, summary, phase, params, examples }) => ({
      name,
      summary,
      phase,
      params: schemaOf(params),
      examples,
    })),
    output: schemaOf(outputSchema),
    recipe: schemaOf(recipeSchema, RECIPE_KEYS),
  };
}

function schemaOf(schema: z.ZodObject, keys?: readonly string[]): Json {
  const { $schema: _, properties = {}, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  const kept = Object.entries(properties).filter(([name]) => keys === undefined || keys.includes(name));
  return { ...rest, properties: Object.fromEntries(kept) };
}
