import { type Header, readHeader } from './codecs/header.js';
import type { Job } from './groups.js';
import { checkPages } from './limits.js';
import type { Shape } from './operations/operation.js';

/**
 * The header of each of the first `count` pages of a TIFF whose pages differ in size or kind; undefined when they do
 * not. Throws E_LIMIT_PIXELS when they are too large together, which the first page alone does not tell.
 */
export async function unequalPages(
  { input, header, recipe, options }: Job,
  count: number,
): Promise<readonly Header[] | undefined> {
  if (header.format !== 'tiff' || count === 1) return undefined;
  const pages: Header[] = [];
  for (let page = 0; page < count; page += 1)
    pages.push(await readHeader(input, { autoOrient: recipe.autoOrient, page }));
  if (pages.every((page) => isLike(page, header))) return undefined;
  checkPages(pages, options.limits);
  return pages;
}

function isLike(page: Header, first: Header): boolean {
  const [one, other] = [page.shape, first.shape];
  return (
    one.width === other.width &&
    one.height === other.height &&
    one.channels === other.channels &&
    one.depth === other.depth &&
    page.orientation === first.orientation
  );
}

/** The first page's size with the channels and depth that hold every page. */
export function widestOf(pages: readonly Header[]): Shape {
  const shapes = pages.map(({ shape }) => shape);
  const alpha = shapes.some(({ channels }) => channels % 2 === 0);
  const colour = shapes.some(({ channels }) => channels > 2);
  const { width = 1, height = 1 } = shapes[0] ?? {};
  const depth = shapes.some((shape) => shape.depth === 16) ? 16 : 8;
  if (colour) return { width, height, depth, channels: alpha ? 4 : 3 };
  return { width, height, depth, channels: alpha ? 2 : 1 };
}
