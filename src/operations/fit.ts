import type { Sharp } from 'sharp';
import { openedColour, withFullAlpha } from './opened.js';
import type { Means, Shape, StepContext } from './operation.js';
import { ORDER } from './order.js';
import type { KERNELS } from './params.js';

/** How a picture meets a box: the five ways of CSS object-fit and sharp. */
export type Fit = 'inside' | 'cover' | 'contain' | 'fill' | 'outside';

/** A box to fit into: one or both sides, in pixels. */
export interface Box {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fit: Fit;
  readonly enlarge: boolean;
  readonly kernel?: (typeof KERNELS)[number] | undefined;
  readonly position?: string | undefined;
  readonly background?: string | undefined;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of a picture after it was fitted into a box: nearest rounding, at least 1 px a side. */
export function fitted(from: Size, box: Box): Size {
  const { width: w, height: h } = from;
  const across = box.width === undefined ? undefined : box.width / w;
  const down = box.height === undefined ? undefined : box.height / h;
  if (
    across !== undefined &&
    down !== undefined &&
    (box.fit === 'fill' || box.fit === 'contain' || box.fit === 'cover')
  ) {
    return boxed(from, box, across, down);
  }
  const factor =
    box.fit === 'outside' ? Math.max(across ?? 0, down ?? 0) : Math.min(across ?? Infinity, down ?? Infinity);
  return scaled(from, box.enlarge ? factor : Math.min(1, factor));
}

/** A size times a factor, rounded to the nearest whole pixel, at least 1 px a side. */
export function scaled(from: Size, factor: number): Size {
  const times = (side: number): number => Math.max(1, Math.round(side * factor));
  return { width: times(from.width), height: times(from.height) };
}

/** Without enlargement, fill shrinks each side on its own, cover crops what it has, contain pads to the whole box. */
function boxed(from: Size, box: Box, across: number, down: number): Size {
  const width = box.width ?? from.width;
  const height = box.height ?? from.height;
  if (box.enlarge || box.fit === 'contain' || (across <= 1 && down <= 1)) return { width, height };
  return { width: Math.min(width, from.width), height: Math.min(height, from.height) };
}

/** The shape of a fitted picture. */
export function fittedShape(shape: Shape, box: Box): Shape {
  return { ...shape, ...fitted(shape, box) };
}

/** How sharp fits a picture; undefined when the picture has the wanted size already. */
export function fitMeans(shape: Shape, box: Box): Means | undefined {
  const target = fitted(shape, box);
  if (target.width === shape.width && target.height === shape.height) return undefined;
  return {
    places: [crops(box) ? ORDER.box : ORDER.resize],
    setting: 'resize',
    // libvips enlarges half a pixel off the middle, so a mirror that sharp runs after it would show
    leads: grows(shape, box, target),
    ...(!crops(box) && { fills: target }),
    ...(letterboxes(shape, box, target) && { opens: { background: box.background } }),
    draw: (image, context) => drawFitted(image, context, box, target),
  };
}

/** Whether pixels are drawn larger: a contained picture keeps its own size inside a larger box, unless it may grow. */
function grows(from: Size, box: Box, target: Size): boolean {
  return box.enlarge && (target.width > from.width || target.height > from.height);
}

/** Whether a contained picture leaves a part of its box open. */
function letterboxes(from: Size, box: Box, target: Size): boolean {
  if (box.fit !== 'contain') return false;
  const { width, height } = fitted(from, { ...box, fit: 'inside' });
  return width !== target.width || height !== target.height;
}

function crops(box: Box): box is Box & { readonly fit: 'cover' | 'contain' } {
  return box.fit === 'cover' || box.fit === 'contain';
}

/** Fits that keep the whole picture are drawn as an exact size, so that the plan's sides are the result's. */
function drawFitted(image: Sharp, context: StepContext, box: Box, target: Size): Sharp {
  const kernel = box.kernel ?? 'lanczos3';
  if (!crops(box)) return image.resize({ ...target, fit: 'fill', kernel });
  const drawn = image.resize({
    ...target,
    fit: box.fit,
    kernel,
    position: box.position ?? 'centre',
    background: openedColour(context, box.background),
    withoutEnlargement: !box.enlarge,
  });
  return letterboxes(context.shape, box, target) ? withFullAlpha(drawn, context, box.background) : drawn;
}
