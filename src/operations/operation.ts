import type { Sharp } from 'sharp';
import * as z from 'zod';
import { expected, ImgtoolError } from '../errors.js';
import type { Pixels } from '../kernels/pixels.js';
import { describeIssue } from './issues.js';

/** What a step must know of a picture, and what it makes of it. Sides are in pixels, as shown. */
export interface Shape {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits a channel. */
  readonly depth: 8 | 16;
}

/** What surrounds a step while it runs. */
export interface StepContext {
  /** The picture as it enters the step. */
  readonly shape: Shape;
  /** The colour of new areas when a step names none: transparent, or the output's background where it has no alpha. */
  readonly background: string;
  /** Threads a kernel may use. */
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/** The phases of the one fixed order that flat queries use (crop, size, turn, filter, colour). */
export type Phase = 'crop' | 'size' | 'turn' | 'filter' | 'colour';

/** A step carried out by sharp: at the first of these places of its pipeline that is still to come. */
export interface Drawing {
  readonly places: readonly [number, ...number[]];
  /** What it sets in sharp: a second use of it in one pass would replace the first. */
  readonly setting:
    | 'resize'
    | 'rotate'
    | 'extract'
    | 'trim'
    | 'extend'
    | 'blur'
    | 'sharpen'
    | 'recomb'
    | 'normalise'
    | 'colour';
  /** That it must be the first step of its pass. */
  readonly leads?: boolean;
  /** The exact size in pixels that a resize fills, when that is all it does. */
  readonly fills?: { readonly width: number; readonly height: number };
  /** That it opens new areas, and the colour it names for them; a clear one gives the picture alpha. */
  readonly opens?: { readonly background: string | undefined };
  draw(image: Sharp, context: StepContext): Sharp;
}

/** A step carried out by a kernel over raw pixels. */
export interface Kernel {
  kernel(pixels: Pixels, context: StepContext): Promise<Pixels>;
}

/** How a step is carried out. */
export type Means = Drawing | Kernel;

/** One operation as it is declared: everything else (flags, query, schema, docs) derives from it. */
export interface OperationSpec<P extends z.ZodObject> {
  readonly name: string;
  /** One sentence in the imperative, for help and docs. */
  readonly summary: string;
  readonly phase: Phase;
  readonly params: P;
  /** Parameter sets that show typical uses; each is run in a test. */
  readonly examples: readonly z.input<P>[];
  /** A short name for the result, used for folders: `thumb-100`. */
  slug(params: z.output<P>): string;
  /** The shape of the result; pure, so that names and limits are known before any pixel is decoded. */
  shape(shape: Shape, params: z.output<P>): Shape;
  /** How to do it to a picture of this shape; undefined when nothing is to be done. */
  means(shape: Shape, params: z.output<P>): Means | undefined;
}

/** A step of a recipe whose parameters have been checked. */
export interface Step {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly slug: string;
  shape(shape: Shape): Shape;
  means(shape: Shape): Means | undefined;
}

/** An operation of the registry: its declaration with the parameter type closed over. */
export interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly phase: Phase;
  readonly params: z.ZodObject;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
  /** Checks parameters and binds them; throws E_RECIPE that names the parameter, what was expected and received. */
  bind(params: unknown, field?: string): Step;
}

/** Declares an operation for the registry. */
export function operation<P extends z.ZodObject>(spec: OperationSpec<P>): Operation {
  return {
    name: spec.name,
    summary: spec.summary,
    phase: spec.phase,
    params: spec.params,
    examples: spec.examples,
    bind(raw, field = spec.name) {
      const params = parse(spec.params, raw, field);
      return {
        name: spec.name,
        params,
        slug: spec.slug(params),
        shape: (shape) => spec.shape(shape, params),
        means: (shape) => spec.means(shape, params),
      };
    },
  };
}

function parse<P extends z.ZodType>(schema: P, raw: unknown, field: string): z.output<P> {
  const result = z.safeParse(schema, raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined)
    throw new ImgtoolError('E_RECIPE', expected('valid parameters', raw), { stage: 'plan', field });
  const { path, message } = describeIssue(schema, issue, raw);
  throw new ImgtoolError('E_RECIPE', message, { stage: 'plan', field: [field, ...path].join('.') });
}
