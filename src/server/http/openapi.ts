import * as z from 'zod';
import { ERRORS } from '../../errors.js';
import { OPERATIONS } from '../../operations/index.js';
import { resize } from '../../operations/resize.js';
import { outputSchema, recipeJsonSchema, recipeSchema } from '../../recipe.js';
import { jobPaths, jobSchemas, queueable } from './openapi-jobs.js';
import { operationsPath } from './operations-route.js';
import { flatKey, OUTPUT_KEYS, RECIPE_KEYS, SIZE_KEYS } from './recipe-query.js';

type Json = Readonly<Record<string, unknown>>;

/** The description of the HTTP API (OpenAPI 3.1), derived from the registry of operations and the table of errors. */
export function openApi(version: string, publicUrl?: string): Json {
  const { $schema: _, ...recipe } = recipeJsonSchema();
  return {
    openapi: '3.1.1',
    info: {
      title: 'imgtool',
      version,
      summary: 'Image processing: the same recipes, and the same bytes, as on the command line.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl ?? '/' }],
    security: [{}, { token: [] }],
    paths: paths(),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Recipe: recipe, Problem: PROBLEM, Facts: FACTS, ...jobSchemas() },
      responses: { Problem: problemResponse() },
    },
  };
}

/** The parameters of a flat query, with `op` for chains; docs show them as tables. */
export function queryParameters(): readonly Json[] {
  return [
    parameter('op', 'a step as name:key=value,key=value; repeat it for a chain, instead of flat parameters', {
      type: 'array',
      items: { type: 'string' },
      maxItems: 64,
    }),
    ...OPERATIONS.flatMap((operation) => [
      parameter(flatKey(operation), `${operation.summary}: its main parameter, or key=value,key=value`, {
        type: 'string',
      }),
      ...fields(operation.params).map(([name, schema]) => field(`${flatKey(operation)}.${name}`, schema)),
    ]),
    ...fields(resize.params)
      .filter(([name]) => SIZE_KEYS.includes(name))
      .map(([name, schema]) => field(name, schema)),
    ...fields(outputSchema)
      .filter(([name]) => OUTPUT_KEYS.includes(name))
      .map(([name, schema]) => field(name, schema)),
    ...fields(recipeSchema)
      .filter(([name]) => RECIPE_KEYS.includes(name))
      .map(([name, schema]) => field(name, schema)),
  ];
}

function paths(): Json {
  const query = queryParameters();
  const src = {
    ...parameter('src', 'the URL, or the path inside a root, of the picture', { type: 'string' }),
    required: true,
  };
  const picture = { 'image/*': {}, 'multipart/mixed': {}, 'application/zip': {} };
  const made = { description: 'the result, or all of several', content: picture, headers: SIDES };
  const facts = {
    description: 'what the header says',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Facts' } } },
  };
  const raw = { 'image/*': {}, 'application/octet-stream': {} };
  const form = {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['image'],
        properties: {
          image: { type: 'string', contentMediaType: 'image/*' },
          recipe: { $ref: '#/components/schemas/Recipe' },
        },
      },
      encoding: { recipe: { contentType: 'application/json' } },
    },
  };
  const answers = (ok: Json, more: Json = {}): Json => ({
    200: ok,
    ...more,
    default: { $ref: '#/components/responses/Problem' },
  });
  return {
    '/v1/process': {
      post: queueable({
        operationId: 'process',
        summary: 'Run a recipe over the picture in the body',
        parameters: query,
        requestBody: { required: true, content: { ...raw, ...form } },
        responses: answers(made),
      }),
    },
    '/v1/image': {
      get: queueable({
        operationId: 'image',
        summary: 'Run a recipe over a picture that the server fetches',
        parameters: [src, ...query],
        responses: answers(made, { 304: { description: 'the client has it already' } }),
      }),
    },
    '/v1/size': {
      post: queueable({
        operationId: 'size',
        summary: 'Tell size, format and more of the picture in the body, from its header only',
        requestBody: { required: true, content: { ...raw, ...form } },
        responses: answers(facts),
      }),
      get: queueable({
        operationId: 'sizeOf',
        summary: 'Tell size, format and more of a picture that the server fetches',
        parameters: [src],
        responses: answers(facts),
      }),
    },
    ...operationsPath(),
    ...jobPaths(),
    ...Object.fromEntries(
      Object.entries(PROBES).map(([path, summary]) => [
        path,
        {
          get: {
            operationId: path.slice(1),
            summary,
            security: [],
            responses: {
              200: { description: 'yes', content: { 'text/plain': {} } },
              503: { description: 'no' },
            },
          },
        },
      ]),
    ),
  };
}

const PROBES = { '/livez': 'Is the server alive?', '/readyz': 'Does it take requests?' } as const;

function fields(schema: z.ZodObject): [string, Json][] {
  const { properties } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties ?? {}).map(([name, property]) => [name, property as Json]);
}

function field(name: string, { description, ...schema }: Json): Json {
  return parameter(name, String(description ?? ''), schema);
}

function parameter(name: string, description: string, schema: Json): Json {
  return { name, in: 'query', description, schema };
}

const SIDES = {
  ETag: { schema: { type: 'string' } },
  'X-Imgtool-Width': { schema: { type: 'integer' }, description: 'pixels' },
  'X-Imgtool-Height': { schema: { type: 'integer' }, description: 'pixels' },
};

const PROBLEM = {
  type: 'object',
  description: 'an error (RFC 9457)',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { enum: Object.keys(ERRORS) },
    detail: { type: 'string' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};

const WHOLE = { type: 'integer', minimum: 0 } as const;

const FACTS = {
  type: 'object',
  required: ['format', 'width', 'height', 'stored', 'pages', 'bytes'],
  properties: {
    format: { type: 'string' },
    width: { ...WHOLE, description: 'pixels, as shown' },
    height: { ...WHOLE, description: 'pixels, as shown' },
    stored: { type: 'object', properties: { width: WHOLE, height: WHOLE } },
    pages: WHOLE,
    depth: { enum: [8, 16] },
    channels: WHOLE,
    space: { type: 'string' },
    alpha: { type: 'boolean' },
    orientation: WHOLE,
    density: { type: ['number', 'null'] },
    bytes: WHOLE,
  },
};

function problemResponse(): Json {
  const schema = { $ref: '#/components/schemas/Problem' };
  return {
    description: 'an error, its code one of the table',
    headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'seconds, with 429 and 503' } },
    content: { 'application/problem+json': { schema } },
  };
}
