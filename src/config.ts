import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { expected, ImgtoolError } from './errors.js';
import { describeIssue } from './operations/issues.js';
import { PRESETS } from './presets.js';
import { outputSchema, type RecipeInput, recipeSchema } from './recipe.js';

const { within: _within, ...encoding } = outputSchema.partial().shape;

/** What may be set once instead of at each call: the flags of the same names, in camel case. */
export const settingsSchema = z.strictObject({
  out: z.string().optional().describe('folder for the results'),
  name: z.string().optional().describe('name template of each result'),
  concurrency: z.int().min(1).max(1024).optional().describe('pictures in flight'),
  recursive: z.boolean().optional().describe('search directories below their own files'),
  autoOrient: z.boolean().optional().describe('apply the EXIF orientation first'),
  lenient: z.boolean().optional().describe('take what decodes of damaged pictures'),
  limitPixels: z.int().min(1).optional().describe('most pixels of one picture, all frames together'),
  frames: z
    .union([z.enum(['all', 'first']), z.int().min(1)])
    .optional()
    .describe('frames or pages to take'),
  ifExists: z.enum(['overwrite', 'skip', 'fail']).optional().describe('when a result is there already'),
  onCollision: z.enum(['fail', 'number']).optional().describe('when two inputs would write one result'),
  manifest: z.boolean().optional().describe('remember in the output folder what was written there'),
  verify: z.boolean().optional().describe('compare contents by hash'),
  keepTimes: z.boolean().optional().describe('give results the times of their originals'),
  onError: z.enum(['continue', 'stop']).optional().describe('go on or stop after a failure'),
  maxErrors: z.int().min(1).optional().describe('stop after so many failures'),
  ...encoding,
});

/** What a `serve` section may hold. */
export type ServeSchema = z.ZodType<Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>>;

/** A config file; what `serve` may hold is known to who has that command's flags. */
function configSchema(serve: ServeSchema) {
  return z.strictObject({
    $schema: z.string().optional().describe('where the schema of this file is, for editors'),
    settings: settingsSchema.optional().describe('defaults of the flags with the same names'),
    presets: z
      .record(z.string().regex(/^[\w.-]{1,64}$/), recipeSchema)
      .optional()
      .describe('recipes by name, for --preset'),
    serve: serve
      .optional()
      .describe('defaults of the flags of imgtool serve; paths are meant from this file'),
  });
}

/** Commands that start no server look no closer. */
const ANY_SECTION = z.record(z.string(), z.unknown());

/** Where a value came from: a file's path, an environment variable, or `built in`. */
export type Origin = string;

/** A value, and where it came from. */
export interface Setting {
  readonly value: unknown;
  readonly from: Origin;
}

/** What all layers say together: defaults, then the system's, the user's and the project's file, then the environment. */
export interface Config {
  readonly settings: Readonly<Record<string, Setting>>;
  readonly presets: Readonly<Record<string, { readonly recipe: RecipeInput; readonly from: Origin }>>;
  /** What the files alone say of servers, by key. */
  readonly serve: Readonly<Record<string, Setting>>;
  /** The files read, weakest first. */
  readonly files: readonly string[];
}

/** Where to look. */
export interface ConfigPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads and merges every layer; the section `serve` is checked only when it is said what it may hold. Throws E_CONFIG naming
 * the file and the key, and the nearest right one.
 */
export async function loadConfig(
  place: ConfigPlace,
  serveSchema: ServeSchema = ANY_SECTION,
): Promise<Config> {
  const schema = configSchema(serveSchema);
  const settings: Record<string, Setting> = {};
  const serve: Record<string, Setting> = {};
  const presets: Record<string, { recipe: RecipeInput; from: Origin }> = {};
  for (const [name, recipe] of Object.entries(PRESETS))
    presets[name] = { recipe: { name, ...recipe }, from: 'built in' };
  const files: string[] = [];
  for (const { path, text } of configFiles(place)) {
    const raw = await parsed(text, path);
    checkedConfig(schema, raw, path);
    // as written, not as checked: a default that the check fills in would undo what a weaker file names
    const config = raw as z.input<typeof schema>;
    files.push(path);
    for (const [key, value] of named(config.settings)) settings[key] = { value, from: path };
    for (const [key, value] of named(config.serve)) serve[key] = { value, from: path };
    for (const [name, recipe] of named(config.presets))
      presets[name] = { recipe: { name, ...recipe }, from: path };
  }
  Object.assign(settings, fromEnvironment(place.env));
  return { settings, presets, serve, files };
}

/** What a section names; `__proto__` is a name to YAML, and no check has seen it. */
function named<T>(section: Readonly<Record<string, T>> = {}): [string, T][] {
  return Object.entries(section).filter(([key]) => key !== '__proto__');
}

/** The JSON Schema of a config file. */
export function configJsonSchema(serve: ServeSchema): Record<string, unknown> {
  return z.toJSONSchema(configSchema(serve), { io: 'input' });
}

const NAMES = ['imgtool.config.yaml', 'imgtool.config.yml', 'imgtool.config.json'] as const;
const XDG_NAMES = ['config.yaml', 'config.yml', 'config.json'] as const;

/** System, user and project files (XDG Base Directory Specification), weakest first; of a project only the nearest. */
function configFiles({ cwd, env }: ConfigPlace): { path: string; text: string }[] {
  const system = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').reverse();
  const user = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  // a home that may not be looked into holds no config for this user
  const shared = [...system, user].map((folder) => firstOf(join(folder, 'imgtool'), XDG_NAMES, ['EACCES']));
  return [...shared, projectFile(cwd)].filter((file) => file !== undefined);
}

function projectFile(folder: string): { path: string; text: string } | undefined {
  const found = firstOf(folder, NAMES);
  const parent = dirname(folder);
  return found ?? (parent === folder ? undefined : projectFile(parent));
}

function firstOf(
  folder: string,
  names: readonly string[],
  absent: readonly string[] = [],
): { path: string; text: string } | undefined {
  for (const name of names) {
    const path = join(folder, name);
    try {
      return { path, text: readFileSync(path, 'utf8') };
    } catch (thrown) {
      const { code = 'an error' } = thrown as NodeJS.ErrnoException;
      if (['ENOENT', 'ENOTDIR', ...absent].includes(code)) continue;
      throw new ImgtoolError('E_CONFIG', expected('a readable config file', code), {
        file: path,
        cause: thrown,
      });
    }
  }
  return undefined;
}

async function parsed(text: string, path: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 100 }) ?? {};
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown);
    throw new ImgtoolError('E_CONFIG', expected('YAML or JSON', why), { file: path, cause: thrown });
  }
}

/** What a schema makes of a value from a file or a variable. Throws E_CONFIG. */
export function checkedConfig<S extends z.ZodType>(schema: S, raw: unknown, file: Origin): z.output<S> {
  const result = z.safeParse(schema, raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const { path, message } =
    issue === undefined ? { path: [], message: 'not valid' } : describeIssue(schema, issue, raw);
  throw new ImgtoolError('E_CONFIG', message, { file, ...(path.length > 0 && { field: path.join('.') }) });
}

/** Settings from `IMGTOOL_CONCURRENCY` and the like; words for numbers and booleans are read as such. */
function fromEnvironment(env: ConfigPlace['env']): Record<string, Setting> {
  const given: Record<string, Setting> = {};
  for (const key of Object.keys(settingsSchema.shape)) {
    const variable = `IMGTOOL_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const value = checkedConfig(settingsSchema, { [key]: typed(text) }, variable)[
      key as keyof z.output<typeof settingsSchema>
    ];
    given[key] = { value, from: variable };
  }
  return given;
}

function typed(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
