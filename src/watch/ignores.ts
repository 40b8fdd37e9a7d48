import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { Place, WatchedFolder } from './place.js';

/** The file in a watched folder that says, like a .gitignore, what in it is left alone. */
export const IGNORE_FILE = '.imgtoolignore';

/** What is left alone: the patterns given, and those of each watched folder's own file. */
export class Ignores {
  readonly #patterns: readonly string[];
  readonly #rules = new Map<string, { readonly text: string; readonly rules: Ignore }>();

  constructor(patterns: readonly string[], folders: readonly WatchedFolder[]) {
    this.#patterns = patterns;
    for (const folder of folders) this.reload(folder);
  }

  /** Whether a place is left alone; a folder's whole content is, when the folder is. */
  has({ folder, relative }: Place, isFolder: boolean): boolean {
    if (relative === '') return false;
    return this.#rules.get(folder.path)?.rules.ignores(isFolder ? `${relative}/` : relative) ?? false;
  }

  /** Reads the folder's file again; says whether it differs. */
  reload({ path }: WatchedFolder): boolean {
    const text = readIfThere(join(path, IGNORE_FILE));
    if (this.#rules.get(path)?.text === text) return false;
    this.#rules.set(path, {
      text,
      rules: ignore({ ignorecase: false })
        .add([...this.#patterns])
        .add(text),
    });
    return true;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
