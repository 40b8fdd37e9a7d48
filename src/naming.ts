import { basename, posix } from 'node:path';
import { expected, ImgtoolError } from './errors.js';
import type { Recipe } from './recipe.js';

/** What a name template may be made of. */
export const NAME_TOKENS = ['dir', 'name', 'ext', 'size', 'width', 'height', 'op', 'hash', 'index'] as const;

/** One part of a name template. */
export type NameToken = (typeof NAME_TOKENS)[number];

/** The template that keeps the source tree. */
export const TREE_TEMPLATE = '{dir}/{name}.{ext}';

/** The template for a recipe: the tree, with the size asked for where a picture has results of several sizes. */
export function defaultTemplate({ outputs }: Pick<Recipe, 'outputs'>): string {
  const sizes = new Set(outputs.map(({ within }) => within));
  return sizes.size > 1 ? '{dir}/{name}-{size}.{ext}' : TREE_TEMPLATE;
}

/** Values for the tokens of a template; those that cost something to know are asked for only when used. */
export type NameValues = { readonly [T in NameToken]: () => string | Promise<string> };

/** A checked template. */
export interface NameTemplate {
  readonly text: string;
  uses(token: NameToken): boolean;
  /** The path it gives, relative to the output folder, with `/` separators. */
  render(values: NameValues): Promise<string>;
}

/** Checks a template; throws E_USAGE naming the unknown token, or a name that leaves the output folder. */
export function nameTemplate(text: string): NameTemplate {
  const tokens = new Set([...text.matchAll(/\{([^{}]*)\}/g)].map((match) => checkedToken(match[1] ?? '')));
  if (/[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, ''))) throw usage('balanced braces around tokens', text);
  if (posix.basename(text.replaceAll(/\{dir\}/g, '')) === '')
    throw usage('a template that ends in a file name', text);
  return {
    text,
    uses: (token) => tokens.has(token),
    async render(values) {
      const known = new Map(
        await Promise.all([...tokens].map(async (token) => [token, await values[token]()] as const)),
      );
      return inside(
        text.replaceAll(/\{([^{}]*)\}/g, (_, token: NameToken) => known.get(token) ?? ''),
        text,
      );
    },
  };
}

/** The template of one name as it is, whatever characters it holds. */
export function fixedName(name: string): NameTemplate {
  return { text: name, uses: () => false, render: async () => name };
}

function checkedToken(token: string): NameToken {
  const found = NAME_TOKENS.find((known) => known === token);
  if (found === undefined)
    throw usage(`a token among ${NAME_TOKENS.map((known) => `{${known}}`).join(' ')}`, `{${token}}`);
  return found;
}

function usage(wanted: string, received: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected(wanted, received), { stage: 'plan', field: 'name' });
}

/** A rendered name as a clean relative path; one that would leave the output folder is refused. */
function inside(rendered: string, template: string): string {
  const path = posix.normalize(rendered.replace(/^\/+/, ''));
  if (path === '..' || path.startsWith('../') || path.includes('\0'))
    throw usage('names inside the output folder', template);
  return path;
}

/** A file name without its last extension; a leading dot does not begin one. */
export function stemOf(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? name : name.slice(0, dot);
}

/** A file name's last extension without its dot, as written, or an empty text. */
export function extensionIn(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1);
}

/** The same path with `-2`, `-3` and so on before its extension. */
export function numbered(path: string, number: number): string {
  const extension = extensionIn(path);
  const end = extension === '' ? path.length : path.length - extension.length - 1;
  return `${path.slice(0, end)}-${number}${path.slice(end)}`;
}
