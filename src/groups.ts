import { outputFormat } from './codecs/encode.js';
import { FORMATS, type Format } from './codecs/extensions.js';
import type { Header } from './codecs/header.js';
import type { Input } from './codecs/input.js';
import { fitsProfile } from './codecs/profile.js';
import { expected, ImgtoolError } from './errors.js';
import { checkLimits, type Limits } from './limits.js';
import type { Shape, Step } from './operations/operation.js';
import { splitSize } from './operations/params.js';
import { resize } from './operations/resize.js';
import { type Pass, planPasses } from './plan.js';
import type { ProcessOptions } from './process.js';
import type { OutputOptions, Recipe } from './recipe.js';

/** One picture on its way to its results, its header read. */
export interface Job {
  readonly input: Input;
  readonly header: Header;
  readonly recipe: Recipe;
  readonly options: ProcessOptions;
  readonly lenient: boolean;
}

/** One result to make. */
export interface Target {
  /** Which of the recipe's outputs this is. */
  readonly index: number;
  readonly options: OutputOptions;
  readonly format: Format;
  /** The shape of the result. */
  readonly shape: Shape;
}

/** Results that come from one decode. */
export interface Group {
  readonly targets: readonly Target[];
  /** Number of frames taken. */
  readonly frames: number;
  readonly passes: readonly Pass[];
  /** The shape after all passes: that of the largest target. */
  readonly shape: Shape;
  /** The colour of new areas where a step names none. */
  readonly background: string;
  /** Whether pixels stay in the input's colour space, its profile with them. */
  readonly keepProfile: boolean;
}

/**
 * Puts outputs together that can come from one decode: equal in frames and profile, and not asked to be exact.
 * Throws E_LIMIT_FRAMES, E_LIMIT_PIXELS or E_LIMIT_OUTPUT for what is over a limit.
 */
export function groupOutputs(job: Job): readonly Group[] {
  const { recipe, header } = job;
  const sets = new Map<string, number[]>();
  for (const [index, output] of recipe.outputs.entries()) {
    const { keepProfile } = output;
    const key = recipe.exact ? `${index}` : `${framesOf(job, output)} ${keepProfile}`;
    sets.set(key, [...(sets.get(key) ?? []), index]);
  }
  const after = recipe.steps.reduce((shape, step) => step.shape(shape), header.shape);
  return [...sets.values()].map((indices) => groupOf(job, indices, after));
}

function groupOf(job: Job, indices: readonly number[], after: Shape): Group {
  const { recipe, header, options } = job;
  const members = indices.flatMap((index) => {
    const output = recipe.outputs[index];
    return output === undefined ? [] : [{ index, output, step: sizeStep(output) }];
  });
  const sized = members.map(({ index, output, step }) => {
    const format = outputFormat(output.format, header);
    return { index, options: output, format, shape: step?.shape(after) ?? after };
  });
  const largest = members[indexOfLargest(sized)];
  const steps = largest?.step === undefined ? recipe.steps : [...recipe.steps, largest.step];
  const output = largest?.output ?? recipe.outputs[0];
  const background = sized.some(({ format }) => FORMATS[format].alpha) ? 'transparent' : output.background;
  const frames = framesOf(job, output);
  checkLimits(header, frames, options.limits);
  checkFrames(steps, header.shape, frames, options.limits);
  const passes = planPasses(steps, header.shape, options.limits, background);
  const shape = passes.at(-1)?.after ?? header.shape;
  const { channels, depth } = shape;
  const targets = sized.map((target) => ({ ...target, shape: { ...target.shape, channels, depth } }));
  return {
    targets,
    passes,
    frames,
    shape,
    background,
    keepProfile: output.keepProfile && fitsProfile(header.icc, shape),
  };
}

/** The plan bounds one frame of a result; many frames multiply it. */
function checkFrames(steps: readonly Step[], first: Shape, frames: number, limits: Limits): void {
  if (frames === 1) return;
  let shape = first;
  for (const step of steps) {
    shape = step.shape(shape);
    const { width, height } = shape;
    checkTogether(width * height * frames, `${frames} frames of ${width}x${height}`, limits);
  }
}

/** Throws E_LIMIT_OUTPUT when frames, each within its bounds, make too many pixels together. */
export function checkTogether(pixels: number, received: string, { outputPixels }: Limits): void {
  if (pixels <= outputPixels) return;
  const most = `at most ${outputPixels / 1e6} megapixels out`;
  throw new ImgtoolError('E_LIMIT_OUTPUT', expected(most, received), { stage: 'plan' });
}

/** The step that brings a result to its own size, never enlarging it. */
export function sizeStep({ within }: OutputOptions): Step | undefined {
  if (within === undefined) return undefined;
  return resize.bind(typeof within === 'number' ? { width: within } : splitSize(within), 'within');
}

function indexOfLargest(targets: readonly Target[]): number {
  const areas = targets.map(({ shape }) => shape.width * shape.height);
  return areas.indexOf(Math.max(...areas));
}

function framesOf({ header, recipe }: Job, output: OutputOptions): number {
  const wanted = recipe.frames === 'all' ? header.frames : recipe.frames === 'first' ? 1 : recipe.frames;
  return FORMATS[outputFormat(output.format, header)].frames ? Math.min(wanted, header.frames) : 1;
}
