import { stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { extensionFits, formatOfExtension } from '../src/codecs/extensions.js';
import type { Destination } from '../src/deliver.js';
import { expected, ImgtoolError } from '../src/errors.js';
import { realWay } from '../src/io/real.js';
import { openManifest, readManifest } from '../src/manifest.js';
import { type IfExists, recipeKeys } from '../src/outputs.js';
import { inputPlaces } from '../src/overlap.js';
import { OUTPUT_FORMATS, type OutputOptions, type Recipe, recipeSlug } from '../src/recipe.js';
import { engineVersions } from '../src/versions.js';
import type { BatchFlags } from './batch-command.js';
import { DEFAULT_OUT } from './inputs.js';
import { shown } from './terminal/reporter.js';
import { writeData } from './terminal/streams.js';

/** Where `--out` and `--in-place` lead; paths are absolute. */
export type Out =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly format: WrittenFormat }
  | { readonly kind: 'stdout' }
  | { readonly kind: 'in-place' };

/**
 * Settles where results go: a name with the extension of a format that is written, for one input that is a file or
 * standard input, is the result itself; any other is a folder. Throws E_USAGE for a folder's name that a file has.
 */
export async function outFrom(args: readonly string[], flags: BatchFlags, recipe: Recipe): Promise<Out> {
  const { out } = flags;
  if (flags['in-place'] === true) return { kind: 'in-place' };
  if (out === undefined) return { kind: 'folder', path: resolve(DEFAULT_OUT, recipeSlug(recipe)) };
  if (out === '-') return { kind: 'stdout' };
  const path = resolve(out);
  const format = writtenFormat(extname(out));
  const there = await kindOf(path);
  const isFile = format !== undefined && there !== 'folder' && !/[\\/]$/.test(out);
  if (isFile && (await isOneFile(args, flags)))
    return { kind: 'file', path: dirname(path), name: basename(path), format };
  if (there === 'file') {
    const wanted = 'a folder for --out (a file only for one input, with the extension of a format)';
    throw new ImgtoolError('E_USAGE', expected(wanted, `the file ${shown(path)}`), {
      stage: 'plan',
      field: 'out',
    });
  }
  return { kind: 'folder', path };
}

type WrittenFormat = Exclude<OutputOptions['format'], 'keep' | 'auto'>;

/** The format, of those that results may have, that an extension stands for. */
function writtenFormat(extension: string): WrittenFormat | undefined {
  const format = formatOfExtension(extension);
  const asked = OUTPUT_FORMATS.find((known) => known === format);
  return asked === 'keep' || asked === 'auto' ? undefined : asked;
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const facts = await stat(path).catch(() => undefined);
  return facts && (facts.isDirectory() ? 'folder' : 'file');
}

async function isOneFile(args: readonly string[], flags: BatchFlags): Promise<boolean> {
  const [input] = args;
  if (input === undefined || args.length > 1 || flags['files-from'] !== undefined) return false;
  return input === '-' || (await kindOf(resolve(input))) === 'file';
}

/** The recipe with the format that the name of the result asks for. Throws E_USAGE when `--format` asks for another. */
export function recipeFor(out: Out, recipe: Recipe): Recipe {
  const [output, ...others] = recipe.outputs;
  if (out.kind !== 'folder' && others.length > 0)
    throw usage(expected(`one result ${ONE_RESULT[out.kind]}`, `${recipe.outputs.length}`));
  if (out.kind !== 'file') return recipe;
  const { format } = output;
  if (format === 'keep' || format === 'auto')
    return { ...recipe, outputs: [{ ...output, format: out.format }] };
  if (extensionFits(extname(out.name), format)) return recipe;
  throw usage(expected(`a name for ${format} data as --out`, out.name));
}

/** Places that hold a single result for each input. */
const ONE_RESULT = {
  stdout: 'for --out -',
  file: 'for a file as --out',
  'in-place': 'for each input with --in-place',
} as const;

function usage(message: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', message, { stage: 'plan', field: 'out' });
}

/** How a run reaches its output folder; with `look` nothing is written. */
export async function destinationFrom(
  out: Out,
  flags: BatchFlags,
  recipe: Recipe,
  roots: readonly string[],
  access: 'look' | 'make',
): Promise<Destination> {
  if (out.kind === 'in-place') return { kind: 'in-place' };
  if (out.kind === 'stdout') return { kind: 'bytes', take: (image) => writeData(image.bytes) };
  const { path } = out;
  // one file named outright goes into a folder of the user's own, where a record of it would be litter
  const remembers = flags.manifest !== false && out.kind === 'folder';
  const manifest = remembers
    ? await (access === 'make' ? openManifest(path) : readManifest(path))
    : undefined;
  return {
    kind: 'folder',
    path,
    manifest,
    ifExists: (flags['if-exists'] as IfExists | undefined) ?? 'auto',
    force: flags.force === true,
    verify: flags.verify === true,
    keys: recipeKeys(recipe, engineVersions(), flags.lenient === true),
    inputs: await inputPlaces(roots, await realWay(path)),
  };
}
