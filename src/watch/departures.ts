import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { Seen } from '../io/seen.js';
import { localName, type Manifest } from '../manifest.js';
import { prune } from '../prune.js';
import type { Tell, WatchWork } from './options.js';
import type { Look } from './steady.js';

/**
 * Sizes and times remembered for telling a rename from a removal: of originals that are gone, as many as a renamed folder
 * may hold; of those that arrived, as many as may come before it is noticed where from. Originals that share one.
 */
const DEPARTED = 8192;
const ARRIVED = 1024;
const SHARING = 64;

interface Arrived {
  readonly path: string;
  readonly inode: number;
}

/**
 * Originals that are gone, and what becomes of their results: with `mirror` those are removed; otherwise only those of
 * an original that came up under another name, which by then has results of its own.
 */
export class Departures {
  readonly #mirror: boolean;
  readonly #tell: Tell;
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** Which file every original was: a rename keeps size, time and inode. */
  readonly #identities = new Seen();
  readonly #arrived = new Map<string, Arrived[]>();
  readonly #departed = new Map<string, string[]>();
  readonly #renamed = new Set<string>();

  constructor(mirror: boolean, tell: Tell) {
    this.#mirror = mirror;
    this.#tell = tell;
  }

  /** Whether {@link settle} has something to do. */
  get pending(): boolean {
    return this.#files.size + this.#folders.size + this.#renamed.size > 0;
  }

  /** A file is no more. */
  file(path: string): void {
    this.#files.add(path);
  }

  /** A folder is no more; of a watched folder that was looked through, whatever is missing. */
  folder(path: string): void {
    this.#folders.add(path.endsWith(sep) ? path : path + sep);
  }

  /** A picture has its results. */
  arrived(path: string, look: Look): void {
    const mark = markOf(look);
    const { inode } = look;
    this.#identities.add(identityOf(path, mark, inode));
    for (const before of this.#departed.get(mark) ?? []) this.#match(before, { path, inode }, mark);
    remember(this.#arrived, mark, { path, inode }, ARRIVED);
  }

  /** Goes through the record once for all that departed since the last time. */
  async settle({ destination }: WatchWork): Promise<void> {
    const { manifest, path } = destination;
    if (manifest === undefined || !('record' in manifest) || !this.pending) return;
    const gone = this.#goneFrom();
    if (this.#mirror) return this.#remove(path, manifest, gone, 'deleted');
    await this.#recognise(path, manifest, gone);
    const renamed = new Set(this.#renamed);
    this.#renamed.clear();
    if (renamed.size > 0) await this.#remove(path, manifest, (source) => renamed.has(source), 'renamed');
  }

  #goneFrom(): (source: string) => boolean {
    const [files, folders] = [new Set(this.#files), [...this.#folders]];
    this.#files.clear();
    this.#folders.clear();
    return (source) => files.has(source) || folders.some((folder) => source.startsWith(folder));
  }

  async #remove(
    folder: string,
    manifest: Manifest,
    isGone: (source: string) => boolean,
    reason: 'deleted' | 'renamed',
  ): Promise<void> {
    for await (const { path, action } of prune(folder, manifest, isGone)) {
      if (action === 'removed') await this.#tell({ type: 'removed', path, reason });
    }
    manifest.flush();
  }

  async #recognise(folder: string, manifest: Manifest, isGone: (source: string) => boolean): Promise<void> {
    for (const { source } of manifest.entries()) {
      const path = localName(folder, source.name);
      const { size, mtimeMs } = source;
      if (size === undefined || mtimeMs === undefined || !isGone(path) || (await exists(path))) continue;
      const mark = markOf({ size, mtimeMs });
      const arrived = this.#arrived.get(mark) ?? [];
      if (!arrived.some((now) => this.#match(path, now, mark)))
        remember(this.#departed, mark, path, DEPARTED);
    }
  }

  #match(before: string, { path, inode }: Arrived, mark: string): boolean {
    if (before === path || !this.#identities.has(identityOf(before, mark, inode))) return false;
    this.#renamed.add(before);
    return true;
  }
}

function markOf({ size, mtimeMs }: Pick<Look, 'size' | 'mtimeMs'>): string {
  return `${size}:${mtimeMs}`;
}

function identityOf(path: string, mark: string, inode: number): string {
  return `${inode}:${mark}:${path}`;
}

function remember<T>(marks: Map<string, T[]>, mark: string, item: T, most: number): void {
  const items = marks.get(mark) ?? [];
  marks.delete(mark);
  marks.set(mark, [...items, item].slice(-SHARING));
  const [oldest] = marks.keys();
  if (marks.size > most && oldest !== undefined) marks.delete(oldest);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
