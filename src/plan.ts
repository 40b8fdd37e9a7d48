import { ImgtoolError } from './errors.js';
import type { Drawing, Kernel, Means, Shape, Step } from './operations/operation.js';
import { isClear } from './operations/params.js';

/** One step of a draw pass, with the shape of the picture as it enters the step. */
export interface DrawStep extends Pick<Drawing, 'draw' | 'setting' | 'fills'> {
  readonly name: string;
  readonly shape: Shape;
}

/** One trip through sharp, its steps in an order sharp keeps. */
export interface DrawPass {
  readonly kind: 'draw';
  readonly steps: readonly DrawStep[];
  readonly after: Shape;
}

/** One kernel over raw pixels. */
export interface KernelPass extends Kernel {
  readonly kind: 'kernel';
  readonly name: string;
  readonly shape: Shape;
  readonly after: Shape;
}

/** A part of the work between two sets of raw pixels. */
export type Pass = DrawPass | KernelPass;

/** Bounds on what a recipe may make, in pixels. */
export interface OutputLimits {
  readonly outputPixels: number;
  readonly outputSide: number;
}

/**
 * Splits steps into as few passes as keep their written meaning for a picture of this shape. The first pass
 * decodes and the last encodes, so both are draw passes, often the same one. Pure. `background` is the colour of
 * areas that a step opens without naming one.
 * Throws E_LIMIT_OUTPUT when a step would make more than the limits allow.
 */
export function planPasses(
  steps: readonly Step[],
  shape: Shape,
  limits: OutputLimits,
  background: string,
): readonly Pass[] {
  const passes: Pass[] = [];
  let draft = newDraft(shape);
  for (const step of steps) {
    const before = draft.after;
    const means = step.means(before);
    const after = withOpened(within(step.shape(before), limits, step.name), means, background);
    if (means === undefined) {
      draft.after = after;
    } else if ('kernel' in means) {
      passes.push(sealed(draft), {
        kind: 'kernel',
        kernel: means.kernel,
        shape: before,
        name: step.name,
        after,
      });
      draft = newDraft(after);
    } else {
      draft = placed(draft, passes, step.name, means, before, after);
    }
  }
  passes.push(sealed(draft));
  return passes;
}

interface Draft {
  readonly steps: readonly DrawStep[];
  readonly last: number;
  after: Shape;
}

function newDraft(after: Shape): Draft {
  return { steps: [], last: 0, after };
}

function sealed({ steps, after }: Draft): DrawPass {
  return { kind: 'draw', steps, after };
}

/** Adds a step where sharp will run it after all that came before, in this pass or else in a new one. */
function placed(
  draft: Draft,
  passes: Pass[],
  name: string,
  means: Drawing,
  shape: Shape,
  after: Shape,
): Draft {
  const { draw, setting, fills, leads = false } = means;
  const free = (!leads || draft.steps.length === 0) && draft.steps.every((step) => step.setting !== setting);
  const place = free ? means.places.find((candidate) => candidate > draft.last) : undefined;
  const step = { draw, setting, ...(fills && { fills }), name, shape };
  if (place !== undefined) return { steps: [...draft.steps, step], last: place, after };
  passes.push(sealed(draft));
  return { steps: [step], last: means.places[0], after };
}

/** A picture gets alpha where a step opens clear areas around it. */
function withOpened(shape: Shape, means: Means | undefined, background: string): Shape {
  const opens = means !== undefined && 'draw' in means ? means.opens : undefined;
  if (opens === undefined || !isClear(opens.background ?? background)) return shape;
  return { ...shape, channels: shape.channels < 3 ? 2 : 4 };
}

function within(shape: Shape, limits: OutputLimits, step: string): Shape {
  const pixels = shape.width * shape.height;
  if (pixels <= limits.outputPixels && Math.max(shape.width, shape.height) <= limits.outputSide) return shape;
  const most = `${limits.outputPixels / 1e6} megapixels and ${limits.outputSide} px a side`;
  throw new ImgtoolError(
    'E_LIMIT_OUTPUT',
    `${step}: expected a result of at most ${most}, received ${shape.width}x${shape.height}`,
    {
      stage: 'plan',
    },
  );
}
