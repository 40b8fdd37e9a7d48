import * as z from 'zod';
import { ERRORS } from '../errors.js';

/** The version of the documents' form; it grows only by new fields. */
const version = z.literal('imgtool.report/1').describe('version of the form; it grows only by new fields');
const bytes = (what: string) => z.int().min(0).describe(`${what} in bytes`);
const source = z.string().describe('the input as it was named, or - for standard input');
const side = (what: string) => z.int().min(1).describe(`${what} in pixels`);
const recipe = z
  .record(z.string(), z.unknown())
  .describe('the recipe, every default filled in; it can be given back as a recipe file');

/** What went wrong: a stable code, and where. */
export const errorSchema = z
  .object({
    code: z.enum(Object.keys(ERRORS) as [keyof typeof ERRORS]).describe('stable code'),
    stage: z
      .enum(['plan', 'find', 'read', 'decode', 'process', 'encode', 'write'])
      .optional()
      .describe('where in the flow it arose'),
    file: z.string().optional().describe('the file as it was named'),
    field: z.string().optional().describe('the flag, step or field it is about'),
    message: z.string().describe('what was expected and what was received'),
  })
  .meta({ id: 'error', description: 'an error' });

const output = z
  .object({
    path: z.string().describe('relative to the current folder where it lies inside it; - is standard output'),
    format: z.string().describe('as in `imgtool formats`'),
    width: side('width of one frame'),
    height: side('height of one frame'),
    frames: z.int().min(1),
    bytes: bytes('size'),
  })
  .meta({ id: 'output', description: 'a written result' });

const done = z.object({
  source,
  status: z.literal('done'),
  outputs: z.array(output),
  bytes: bytes('size of the input'),
  ms: z.number().min(0).describe('wall time in milliseconds, to a tenth'),
  passes: z.int().min(0).describe('runs through the pixel pipeline'),
  notes: z.array(z.string()).describe('what the result differs in from what was asked'),
});

const skipped = z.object({
  source,
  status: z.literal('skipped'),
  reason: z.enum(['unchanged', 'exists']),
  outputs: z.array(z.object({ path: z.string() })),
});

const failed = z.object({ source, status: z.literal('failed'), error: errorSchema });

const pruned = z
  .object({
    source,
    status: z.literal('pruned'),
    action: z.enum(['removed', 'kept']),
    outputs: z.array(z.object({ path: z.string() })),
  })
  .describe('a result whose input is gone; kept when somebody changed it since');

/** What became of one input. */
export const outcomeSchema = z
  .discriminatedUnion('status', [done, skipped, failed, pruned])
  .meta({ id: 'outcome', description: 'what became of one input' });

const counts = z.record(z.string(), z.int().min(1));

/** The counts of a run. */
export const summarySchema = z.object({
  total: z.int().min(0),
  done: z.int().min(0),
  skipped: z.int().min(0),
  failed: z.int().min(0),
  pruned: z.int().min(0).describe('results removed because their inputs are gone'),
  bytesIn: bytes('size of the inputs that were processed'),
  bytesOut: bytes('size of their results'),
  ms: z.number().min(0).describe('wall time of the run in milliseconds'),
  unreadable: counts.describe('pictures left out by type, because this build does not read them'),
  notes: counts.describe('notes of all outcomes, and how often each came'),
});

const interrupted = z
  .literal(true)
  .optional()
  .describe('a signal ended the run before all inputs were taken');

const stopped = z
  .literal(true)
  .optional()
  .describe('--on-error stop or --max-errors ended the run; inputs not taken by then were left alone');

/** `--json` of the commands that process pictures; with `error` when the whole run was given up. */
export const reportSchema = z
  .object({
    schema: version,
    recipe,
    outcomes: z.array(outcomeSchema),
    summary: summarySchema.optional(),
    interrupted,
    stopped,
    error: errorSchema.optional(),
  })
  .meta({ id: 'report', description: 'a run' });

/** One line of a plan. */
export const plannedSchema = z
  .union([
    z.object({
      source,
      target: z.string(),
      action: z.enum(['make', 'unchanged', 'exists', 'replace', 'prune', 'keep']),
    }),
    z.object({ source, action: z.literal('fail'), error: errorSchema }),
  ])
  .meta({ id: 'planned', description: 'a line of --dry-run --ndjson' });

/** `--dry-run --json`. */
export const planSchema = z
  .object({
    schema: version,
    dryRun: z.literal(true),
    recipe,
    plan: z.array(plannedSchema),
    error: errorSchema.optional(),
  })
  .meta({ id: 'plan', description: 'what a run would do' });

/** What a picture is, from its header. */
export const factsSchema = z.object({
  source,
  format: z.string(),
  width: side('width as shown, the orientation applied,'),
  height: side('height as shown, the orientation applied,'),
  stored: z.object({ width: side('width as stored'), height: side('height as stored') }),
  pages: z.int().min(1).describe('frames or pages'),
  depth: z.union([z.literal(8), z.literal(16)]).describe('bits a channel'),
  channels: z.int().min(1),
  space: z.string().describe('colour space'),
  alpha: z.boolean(),
  orientation: z.int().min(1).max(8).describe('EXIF orientation'),
  density: z.number().nullable().describe('pixels an inch, when the file says so'),
  bytes: bytes('size'),
});

/** `size --json`. */
export const sizesSchema = z
  .object({
    schema: version,
    sizes: z.array(factsSchema),
    errors: z.array(errorSchema).optional(),
    interrupted,
    error: errorSchema.optional(),
  })
  .meta({ id: 'sizes', description: 'what pictures are' });

/** What any command prints with `--json` when it cannot begin. */
export const failureSchema = z
  .object({ schema: version, error: errorSchema })
  .meta({ id: 'failure', description: 'a command that failed' });

/** A line of `--ndjson`. */
export const eventSchema = z
  .union([
    done.extend({ type: z.literal('outcome') }),
    skipped.extend({ type: z.literal('outcome') }),
    failed.extend({ type: z.literal('outcome') }),
    pruned.extend({ type: z.literal('outcome') }),
    summarySchema.extend({ type: z.literal('summary'), interrupted, stopped }),
    factsSchema.extend({ type: z.literal('facts') }),
    z.object({ type: z.literal('failed'), source, error: errorSchema }),
    z.object({ type: z.literal('error'), error: errorSchema }).describe('the command itself failed'),
  ])
  .meta({ id: 'event', description: 'a line of --ndjson' });

const DOCUMENTS = z.union([reportSchema, planSchema, sizesSchema, failureSchema]);

/** The JSON Schema of what `--json` prints; lines of `--ndjson` are under `$defs`: event, and planned for dry runs. */
export function reportJsonSchema(): Record<string, unknown> {
  // readers must bear fields that a later version adds, which the input form allows
  const { $schema, $defs } = z.toJSONSchema(z.union([DOCUMENTS, eventSchema, plannedSchema]), {
    io: 'input',
  });
  return {
    $schema,
    title: 'What imgtool prints with --json; lines of --ndjson are event and planned',
    anyOf: ['report', 'plan', 'sizes', 'failure'].map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs,
  };
}
