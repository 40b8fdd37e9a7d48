import { Flags } from '@oclif/core';
import { outputSchema } from '../../src/recipe.js';
import { flagsOf } from './derived.js';

const whole = (description: string, helpGroup: string, extra: { char?: 'j'; min?: number } = {}) =>
  Flags.integer({
    description,
    helpGroup,
    helpValue: 'N',
    min: extra.min ?? 1,
    ...(extra.char && { char: extra.char }),
  });

/** Flags that settle which files are read. */
export const inputFlags = {
  recursive: Flags.boolean({
    description: 'search directories below their own files [default: on]',
    default: true,
    allowNo: true,
    helpGroup: 'INPUT',
  }),
  'files-from': Flags.string({
    description: 'read file names from a file or - (lines, or NUL-separated)',
    helpValue: 'FILE',
    helpGroup: 'INPUT',
    multiple: true,
    multipleNonGreedy: true,
  }),
  frames: Flags.string({
    description: 'frames or pages to take: all, first, or the first N [default: all]',
    helpValue: 'all|first|N',
    helpGroup: 'INPUT',
  }),
  'auto-orient': Flags.boolean({
    description: 'apply the EXIF orientation first [default: on]',
    default: true,
    allowNo: true,
    helpGroup: 'INPUT',
  }),
  lenient: Flags.boolean({
    description: 'take what decodes of damaged pictures, and say so',
    helpGroup: 'INPUT',
  }),
  'limit-pixels': Flags.integer({
    description: 'most pixels of one picture, all frames together [default: 268402689]',
    helpValue: 'N',
    min: 1,
    helpGroup: 'INPUT',
  }),
  'allow-empty': Flags.boolean({ description: 'exit 0 when nothing matches', helpGroup: 'INPUT' }),
} as const;

/** Flags that settle where results go and how they are encoded. */
export const outputFlags = {
  out: Flags.string({
    char: 'o',
    description:
      'folder for the results; the result itself (x.webp) for one file; - for standard output [default: imgtool-out/<recipe>]',
    helpValue: 'DIR|FILE|-',
    helpGroup: 'OUTPUT',
  }),
  name: Flags.string({
    description:
      "name of each result: {dir} {name} {ext} {size} {width} {height} {op} {hash} {index} [default: '{dir}/{name}.{ext}', with -{size} for several sizes]",
    helpValue: 'TEMPLATE',
    helpGroup: 'OUTPUT',
  }),
  'in-place': Flags.boolean({ description: 'replace the originals', helpGroup: 'OUTPUT' }),
  'if-exists': Flags.string({
    description:
      'when a result is there already [default: overwrite what the same operations wrote, else fail]',
    options: ['overwrite', 'skip', 'fail'],
    helpGroup: 'OUTPUT',
  }),
  'on-collision': Flags.string({
    description: 'when two inputs would write one result',
    options: ['fail', 'number'],
    default: 'fail',
    helpGroup: 'OUTPUT',
  }),
  manifest: Flags.boolean({
    description: 'remember in the output folder what was written there [default: on]',
    default: true,
    allowNo: true,
    helpGroup: 'OUTPUT',
  }),
  force: Flags.boolean({ description: 'make every result anew', helpGroup: 'OUTPUT' }),
  prune: Flags.boolean({
    description: 'then remove results on record whose inputs are gone',
    helpGroup: 'OUTPUT',
  }),
  verify: Flags.boolean({
    description: 'compare contents by hash instead of trusting size and time',
    helpGroup: 'OUTPUT',
  }),
  'keep-times': Flags.boolean({
    description: 'give results the times of their originals',
    helpGroup: 'OUTPUT',
  }),
  'dry-run': Flags.boolean({ char: 'n', description: 'print the plan, write nothing', helpGroup: 'OUTPUT' }),
} as const;

/** Flags of how a result is encoded, derived from the recipe's schema, and of how many there are. */
export const encodingFlags = {
  ...flagsOf(outputSchema.omit({ within: true }), 'ENCODING', { format: 'f', quality: 'q' }),
  sizes: Flags.string({
    description: 'several results from one decode, as widths or WxH: 1600,800,400',
    helpValue: 'LIST',
    helpGroup: 'ENCODING',
  }),
  formats: Flags.string({
    description: 'several results from one decode, as formats: avif,webp,jpeg',
    helpValue: 'LIST',
    helpGroup: 'ENCODING',
    exclusive: ['format'],
  }),
  exact: Flags.boolean({
    description: 'decode anew for each of several results, so that each has the bytes it would have alone',
    helpGroup: 'ENCODING',
  }),
};

/** Flags of how a run goes and what it tells. */
export const runFlags = {
  concurrency: whole('pictures in flight [default: processors + 1]', 'RUN', { char: 'j' }),
  'on-error': Flags.string({
    description: 'go on or stop after a failure',
    options: ['continue', 'stop'],
    default: 'continue',
    helpGroup: 'RUN',
  }),
  'max-errors': whole('stop after so many failures', 'RUN'),
  quiet: Flags.boolean({ description: 'say nothing but errors', helpGroup: 'RUN', exclusive: ['verbose'] }),
  verbose: Flags.boolean({ description: 'say a line for each picture', helpGroup: 'RUN' }),
  json: Flags.boolean({ description: 'print one JSON document', helpGroup: 'RUN', exclusive: ['ndjson'] }),
  ndjson: Flags.boolean({ description: 'print a JSON line for each picture as it ends', helpGroup: 'RUN' }),
} as const;
