import { access } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { outputFormat } from './codecs/encode.js';
import {
  extensionFits,
  extensionOf,
  FORMATS,
  type Format,
  formatOfExtension,
  formats,
} from './codecs/extensions.js';
import { headOf } from './codecs/head.js';
import { readHeader } from './codecs/header.js';
import { type PictureFormat, sniff } from './codecs/magic.js';
import { ImgtoolError, toImgtoolError } from './errors.js';
import { sizeStep } from './groups.js';
import { Seen } from './io/seen.js';
import { type LocalSource, localSource, type Source } from './io/source.js';
import { extensionIn, type NameTemplate, numbered, stemOf, TREE_TEMPLATE } from './naming.js';
import type { Shape } from './operations/operation.js';
import { hashOf } from './outputs.js';
import { type OutputOptions, type Recipe, recipeSlug } from './recipe.js';

/** How results are named. */
export interface Naming {
  readonly recipe: Recipe;
  readonly template: NameTemplate;
  /** What to do when two inputs would write one output. */
  readonly onCollision: 'fail' | 'number';
  /** The folder name kept in front of the tree of an argument, when several directories were given. */
  readonly prefixes: ReadonlyMap<number, string>;
  /** Whether all inputs come from one root, so that keeping the tree keeps names apart. */
  readonly oneRoot: boolean;
  /** Told of each input met before work begins. */
  survey?(source: Source): Promise<void>;
}

/** The names given to results, as 64-bit hashes. */
export class Names extends Seen {
  /** Whether those of all inputs are known. */
  complete = false;
}

/** An input with the names of its results. */
export interface Item {
  readonly source: Source;
  /** One for each of the recipe's outputs, relative to the output folder, with `/` separators. */
  readonly targets: readonly string[];
  /** Counts inputs from 1, in the order they were found. */
  readonly index: number;
  /** Why it has no names: a template that needs the header of a picture that has none. */
  readonly error?: ImgtoolError;
}

/**
 * Gives every input the name of its result before a pixel is decoded. All names are gathered first, so `find` runs twice;
 * of names that cannot clash by construction (but for an SVG beside a PNG) only the first ten thousand, so that
 * a huge folder starts at once. Throws E_COLLISION naming both inputs when two would write one output.
 */
export async function* settleNames(
  find: () => AsyncIterable<Source>,
  naming: Naming,
  taken: Names,
): AsyncGenerator<Item> {
  if (naming.onCollision === 'fail') await refuseCollisions(find, naming, taken);
  else for await (const source of find()) await naming.survey?.(source);
  for await (const item of named(find, naming)) {
    if (naming.onCollision === 'fail') yield await checked(item, naming, taken);
    else yield { ...item, targets: item.targets.map((target) => freeName(target, taken)) };
  }
}

/** One input with the names of its results, whatever others there are. Throws what kept it from being named. */
export async function itemFor(source: Source, naming: Naming): Promise<Item> {
  try {
    return { source, index: 0, targets: await namesOf(source, 0, naming) };
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read', file: source.name });
  }
}

/** Whether the tree and every extension are kept, so that different inputs have different outputs. */
export function isOneToOne({ template, recipe, oneRoot }: Naming): boolean {
  const single = recipe.outputs.length === 1 && recipe.outputs[0].format === 'keep';
  return oneRoot && single && template.text === TREE_TEMPLATE;
}

async function* named(find: () => AsyncIterable<Source>, naming: Naming): AsyncGenerator<Item> {
  let index = 0;
  for await (const source of find()) {
    index += 1;
    yield await namesOf(source, index, naming).then(
      (targets) => ({ source, index, targets }),
      (thrown: unknown) => ({
        source,
        index,
        targets: [],
        error: toImgtoolError(thrown, 'E_READ', { stage: 'read' }),
      }),
    );
  }
}

/** As many names are gathered in any case: what is found of a folder that is read whole before its first file. */
const GATHERED_ALWAYS = 10_000;

async function refuseCollisions(
  find: () => AsyncIterable<Source>,
  naming: Naming,
  taken: Names,
): Promise<void> {
  const most = isOneToOne(naming) ? GATHERED_ALWAYS : Number.POSITIVE_INFINITY;
  for await (const { source, targets, index } of named(find, naming)) {
    if (index > most) return;
    await naming.survey?.(source);
    const clash = targets.find((target) => !taken.add(target));
    if (clash !== undefined) throw await collision(find, naming, source.name, clash);
  }
  taken.complete = true;
}

/** Looks beside a picture whose result has another extension, where not all names are known. */
async function checked(item: Item, naming: Naming, taken: Names): Promise<Item> {
  const [target] = item.targets;
  if (taken.complete || target === undefined || !isOneToOne(naming)) return item;
  if (extensionIn(target) === extensionIn(item.source.relative)) return item;
  const other = await siblingFor(item.source, target, naming.recipe.outputs[0].format);
  if (other !== undefined) throw collisionOf(other, item.source.name, target);
  return item;
}

async function collision(
  find: () => AsyncIterable<Source>,
  naming: Naming,
  second: string,
  target: string,
): Promise<ImgtoolError> {
  for await (const { source, targets } of named(find, naming)) {
    if (targets.includes(target)) return collisionOf(source.name, second, target);
  }
  return collisionOf('another input', second, target);
}

/** The error for two inputs with one output. */
export function collisionOf(first: string, second: string, target: string): ImgtoolError {
  const hint =
    first === second
      ? "use a --name that tells its results apart, such as '{dir}/{name}-{size}.{ext}'"
      : "use --on-collision number, or a --name such as '{dir}/{name}-{index}.{ext}'";
  return new ImgtoolError(
    'E_COLLISION',
    `expected one input for ${target}, received ${first} and ${second}; ${hint}`,
    {
      stage: 'plan',
      file: second,
    },
  );
}

/** The name as it is, or numbered from -2 on until it is free. */
export function freeName(target: string, taken: Seen): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? target : numbered(target, number);
    if (taken.add(candidate)) return candidate;
  }
}

async function namesOf(source: Source, index: number, naming: Naming): Promise<readonly string[]> {
  const local = memo(() => localSource(source));
  const shape = memo(async () => shapeOf(await local(), naming.recipe));
  const hash = memo(async () => (await hashOf(await local())).slice(0, 16));
  return Promise.all(
    naming.recipe.outputs.map((output) => nameOf({ source, index, shape, hash, output }, naming)),
  );
}

interface Named {
  readonly source: Source;
  readonly index: number;
  readonly output: OutputOptions;
  shape(): Promise<Shape>;
  hash(): Promise<string>;
}

async function nameOf(
  { source, index, output, shape, hash }: Named,
  { recipe, template, prefixes }: Naming,
): Promise<string> {
  const prefix = prefixes.get(source.argument) ?? '';
  const own = async (): Promise<Shape> => sizeStep(output)?.shape(await shape()) ?? shape();
  return template.render({
    size: () => String(output.within ?? 'full'),
    dir: () => posix.join(prefix, posix.dirname(source.relative)),
    name: () => stemOf(source.relative),
    ext: () => expectedExtension(source.relative, output),
    width: async () => String((await own()).width),
    height: async () => String((await own()).height),
    op: () => recipeSlug(recipe),
    hash,
    index: () => String(index),
  });
}

/** The extension a result will most likely have: by the input's own extension, since its bytes were not read yet. */
function expectedExtension(path: string, { format: asked }: OutputOptions): string {
  const guess = formatOfExtension(extensionIn(path));
  const format = outputFormat(asked, { format: guess !== undefined && guess !== 'npy' ? guess : 'png' });
  return resultExtension(extensionIn(path), format);
}

/** The input's own extension where it tells the result's format (`.JPG` stays), else the format's first one. */
export function resultExtension(own: string, format: Format): string {
  return extensionFits(own, format) ? own : extensionOf(format);
}

async function shapeOf(source: LocalSource, recipe: Recipe): Promise<Shape> {
  const { shape } = await readHeader(source.input, recipe);
  return recipe.steps.reduce((before, step) => step.shape(before), shape);
}

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * The name with an extension that tells the bytes, for an input whose own extension did not. Throws E_COLLISION when
 * that name belongs to another input beside it.
 */
export async function truthfulTarget(
  { source, targets }: Item,
  index: number,
  format: Format,
  naming: Naming,
  taken: Names,
): Promise<string> {
  const target = targets[index] ?? '';
  const extension = extensionIn(target);
  if (extensionFits(extension, format)) return target;
  const renamed = posix.join(posix.dirname(target), `${stemOf(target)}.${extensionOf(format)}`);
  if (naming.onCollision === 'number') return freeName(renamed, taken);
  const asked = naming.recipe.outputs[index]?.format ?? 'keep';
  const other = taken.complete ? undefined : await siblingFor(source, renamed, asked);
  if (other !== undefined || !taken.add(renamed))
    throw collisionOf(other ?? 'another input', source.name, renamed);
  return renamed;
}

/** The input beside this one whose result would have that name. */
async function siblingFor(
  source: Source,
  target: string,
  asked: OutputOptions['format'],
): Promise<string | undefined> {
  if (source.input.kind !== 'path') return undefined;
  const own = source.input.path;
  for (const extension of formats().flatMap((format) => FORMATS[format].extensions)) {
    const path = join(dirname(own), `${stemOf(own)}.${extension}`);
    if (path === own || !(await exists(path))) continue;
    const type = sniff(await headOf({ kind: 'path', path }).catch(() => new Uint8Array()));
    if (type === undefined || !(type in FORMATS)) continue;
    const result = resultExtension(extension, outputFormat(asked, { format: type as PictureFormat }));
    if (`${stemOf(own)}.${result}` === basename(target)) return path;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
