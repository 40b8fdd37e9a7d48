import type { Sharp } from 'sharp';
import type { Means, Shape, StepContext } from './operation.js';
import { ORDER } from './order.js';
import { hex, type KERNELS } from './params.js';

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

/** The size of a picture after it was fitted into a box: nearest rounding, at least 1 px a side. */
export function fitted(from: { width: number; height: number }, box: Box): { width: number; height: number } {
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
export function scaled(
  from: { width: number; height: number },
  factor: number,
): { width: number; height: number } {
  const times = (side: number): number => Math.max(1, Math.round(side * factor));
  return { width: times(from.width), height: times(from.height) };
}

/** Without enlargement, fill shrinks each side on its own, cover crops what it has, contain pads to the whole box. */
function boxed(
  from: { width: number; height: number },
  box: Box,
  across: number,
  down: number,
): { width: number; height: number } {
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
  const place = crops(box) ? ORDER.box : ORDER.resize;
  return {
    places: [place],
    setting: 'resize',
    ...(!crops(box) && { fills: target }),
    draw: (image, context) => drawFitted(image, context, box, target),
  };
}

function crops(box: Box): box is Box & { readonly fit: 'cover' | 'contain' } {
  return box.fit === 'cover' || box.fit === 'contain';
}

/** Fits that keep the whole picture are drawn as an exact size, so that the plan's sides are the result's. */
function drawFitted(
  image: Sharp,
  context: StepContext,
  box: Box,
  target: { width: number; height: number },
): Sharp {
  const kernel = box.kernel ?? 'lanczos3';
  if (!crops(box)) return image.resize({ ...target, fit: 'fill', kernel });
  return image.resize({
    ...target,
    fit: box.fit,
    kernel,
    position: box.position ?? 'centre',
    background: hex(box.background ?? context.background),
    withoutEnlargement: !box.enlarge,
  });
}
