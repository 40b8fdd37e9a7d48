import { type FSWatcher, type Stats, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { readsExtension } from '../codecs/extensions.js';
import type { ImgtoolError } from '../errors.js';
import { contextOf, type FindContext } from '../io/found.js';
import { MANIFEST_NAME } from '../io/names.js';
import { unreadable } from '../io/unreadable.js';
import { isOwnOutput, isWanted } from '../io/walk.js';
import { contentsOf } from './contents.js';
import { IGNORE_FILE } from './ignores.js';
import { deafTo } from './limits.js';
import { below, nameOf, type Place, pathOf, type WatchedFolder } from './place.js';
import { statsAt } from './steady.js';

/** Where to look and listen, and who is told. */
export interface TreeOptions {
  readonly folders: readonly WatchedFolder[];
  readonly recursive: boolean;
  /** Whether the system is asked to tell of changes. */
  readonly listens: boolean;
  /** Whether a folder, by real path, is never searched. */
  isExcluded(real: string): boolean;
  isIgnored(place: Place, isFolder: boolean): boolean;
  /** A picture met while a folder is looked through, which goes on once this resolves. */
  found(place: Place): Promise<void> | void;
  /** Something happened to what has a picture's name. */
  heard(place: Place): void;
  /** A folder is gone, with all below it. */
  gone(place: Place): void;
  /** The ignore file of a watched folder may have changed. */
  rules(folder: WatchedFolder): void;
  /** So much happened at once that some of it may not have been told. */
  overrun(): void;
  state(folder: WatchedFolder, state: 'gone' | 'back'): void;
  problem(error: ImgtoolError): void;
  unreadable(type: string): void;
}

interface Folder {
  readonly place: Place;
  readonly path: string;
  readonly real: string;
  readonly inode: number;
  readonly born: number;
  /** Whether an end of it was told: a new one may be given its inode. */
  doubted: boolean;
  /** Whether it is known to be no output of ours; until then nothing that happens in it counts. */
  entered: boolean;
  watcher: FSWatcher | undefined;
  /** Whether it was looked through before, so that subfolders may be missing by now. */
  listed: boolean;
}

/** How often folders that cannot be listened to are looked through, and whether the watched ones still stand, in ms. */
const BEAT = 2000;
const DEAF_BEATS = 3;

/** The system drops events beyond 16,384 that wait; far fewer than that in one turn of the loop are already suspicious. */
const SUSPICIOUS = 4000;

/**
 * The folders below the watched ones: each is listened to before it is looked through, so that nothing falls in between.
 *
 * One `fs.watch` a folder, not chokidar: that one takes a watch and 5 kB for every file, and lists the whole folder again
 * at each event (0.4 s of CPU for one arrival among 20,000; see docs/watch.md).
 */
export class FolderTree {
  readonly #options: TreeOptions;
  readonly #context: FindContext;
  readonly #folders = new Map<string, Folder>();
  readonly #reals = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #deaf = new Set<string>();
  #links: Place[] = [];
  #turn = 0;
  #complained = false;
  #closed = false;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#context = contextOf({
      cwd: process.cwd(),
      recursive: options.recursive,
      exclude: (real) => options.isExcluded(real),
      onProblem: (error) => options.problem(error),
      onUnreadable: (type) => options.unreadable(type),
    });
  }

  /** Folders known, subfolders included. */
  get size(): number {
    return this.#folders.size;
  }

  /** Whether all watched folders are there. */
  get whole(): boolean {
    return this.#missing.size === 0;
  }

  /** Whether the folder in which a place lies is listened to, or looked through, at present. */
  holds(place: Place): boolean {
    return this.#folders.has(dirname(pathOf(place)));
  }

  /** Looks through everything, folders known already included. */
  async lookThrough(): Promise<void> {
    for (const folder of this.#options.folders) {
      const root = { folder, relative: '' };
      await this.#meet(root, true);
      if (!this.#folders.has(folder.path)) this.#lost(folder);
    }
    await this.#followLinks();
  }

  /** Looks through one folder again. */
  async lookAgain(path: string): Promise<void> {
    const folder = this.#folders.get(path);
    if (folder !== undefined) await this.#list(folder, false);
    await this.#followLinks();
  }

  /** Takes in what may be a folder: new, known, replaced or gone. */
  async meet(place: Place): Promise<void> {
    await this.#meet(place, false);
    await this.#followLinks();
  }

  /** Whether the watched folders still stand; looks through those that cannot be listened to at every third call. */
  async check(beat: number): Promise<void> {
    for (const folder of this.#options.folders) await this.#checkRoot(folder);
    if (beat % DEAF_BEATS !== 0) return;
    for (const path of this.#deaf) await this.lookAgain(path);
  }

  /** Milliseconds between two calls of {@link check}. */
  static readonly BEAT = BEAT;

  /** Stops listening. */
  close(): void {
    this.#closed = true;
    for (const { watcher } of this.#folders.values()) watcher?.close();
    this.#folders.clear();
  }

  /** Links come after the real tree, so that what lies in it keeps its own name. */
  async #followLinks(): Promise<void> {
    for (const link of this.#links.splice(0)) await this.#meet(link, true);
  }

  async #checkRoot(folder: WatchedFolder): Promise<void> {
    const stats = await statsAt(folder.path);
    const known = this.#folders.get(folder.path);
    if (stats?.isDirectory() && known !== undefined && isSame(known, stats)) return;
    if (known !== undefined) this.#lost(folder);
    if (stats?.isDirectory()) await this.#meet({ folder, relative: '' }, false);
  }

  #lost(folder: WatchedFolder): void {
    this.#drop({ folder, relative: '' });
    if (this.#missing.has(folder.path)) return;
    this.#missing.add(folder.path);
    this.#options.state(folder, 'gone');
  }

  async #meet(place: Place, deep: boolean): Promise<void> {
    const path = pathOf(place);
    const stats = await statsAt(path);
    if (this.#closed) return;
    const known = this.#folders.get(path);
    const same = known !== undefined && stats !== undefined && isSame(known, stats);
    if (known !== undefined && !same) this.#drop(place);
    if (!stats?.isDirectory()) {
      if (stats?.isFile()) isWanted(path, this.#context);
      return;
    }
    if (known !== undefined && same) {
      if (deep) await this.#list(known, deep);
    } else await this.#adopt(place, path, stats);
  }

  async #adopt(place: Place, path: string, { ino, birthtimeMs }: Stats): Promise<void> {
    const isRoot = place.relative === '';
    if (!isRoot && this.#options.isIgnored(place, true)) return;
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || this.#closed || this.#reals.has(real)) return;
    if (!isRoot && this.#options.isExcluded(real)) return;
    this.#reals.add(real);
    const folder: Folder = {
      place,
      path,
      real,
      inode: ino,
      born: birthtimeMs,
      doubted: false,
      entered: isRoot,
      watcher: undefined,
      listed: false,
    };
    this.#folders.set(path, folder);
    // listened to first: another run may be about to make it its folder of results
    if (this.#options.listens) this.#listen(folder);
    if (!isRoot && (await isOwnOutput(real, this.#context))) return this.#forget(folder);
    if (!this.#isCurrent(folder)) return;
    folder.entered = true;
    if (isRoot && this.#missing.delete(path)) this.#options.state(place.folder, 'back');
    await this.#list(folder, true);
  }

  #listen(folder: Folder): void {
    try {
      folder.watcher = watch(folder.path, (event, name) => this.#hear(folder, event, name));
      folder.watcher.on('error', (thrown) => this.#deafened(folder, thrown));
    } catch (thrown) {
      this.#deafened(folder, thrown);
    }
  }

  /** A folder that is gone by now needs no listening; the first of the others is complained of. */
  #deafened(folder: Folder, thrown: unknown): void {
    folder.watcher?.close();
    folder.watcher = undefined;
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    this.#deaf.add(folder.path);
    if (this.#complained) return;
    this.#complained = true;
    this.#options.problem(deafTo(nameOf(folder.place), thrown, (BEAT * DEAF_BEATS) / 1000));
  }

  #hear(folder: Folder, event: string, name: string | null): void {
    this.#count();
    // the end of a folder is told under its own name
    if (event === 'rename' && name === basename(folder.path)) folder.doubted = true;
    // what is there by then is found when it is looked through
    if (!folder.entered && name !== MANIFEST_NAME) return;
    if (name === null) this.#later(this.lookAgain(folder.path));
    else this.#hearOf(name, event, folder);
  }

  #hearOf(name: string, event: string, folder: Folder): void {
    const isRoot = folder.place.relative === '';
    if (isRoot && name === basename(folder.path)) this.#later(this.#checkRoot(folder.place.folder));
    if (isRoot && name === IGNORE_FILE) this.#options.rules(folder.place.folder);
    if (!isRoot && name === MANIFEST_NAME) this.#leave(folder);
    if (name.startsWith('.')) return;
    const place = below(folder.place, name);
    if (!this.#folders.has(pathOf(place)) && readsExtension(extname(name))) {
      if (!this.#options.isIgnored(place, false)) this.#options.heard(place);
    } else if (event === 'rename' && this.#options.recursive) this.#later(this.meet(place));
  }

  /** A folder that turns out to hold what imgtool wrote is no longer an input. */
  #leave(folder: Folder): void {
    for (const inner of this.#below(folder.place)) this.#forget(inner);
  }

  /** Events come in bursts, all those that waited in one turn. */
  #count(): void {
    this.#turn += 1;
    if (this.#turn > 1) return;
    setImmediate(() => {
      const overrun = this.#turn > SUSPICIOUS;
      this.#turn = 0;
      if (overrun && !this.#closed) this.#options.overrun();
    });
  }

  #later(work: Promise<void>): void {
    work.catch((thrown: unknown) =>
      this.#options.problem(unreadable(thrown, this.#options.folders[0]?.name ?? '')),
    );
  }

  async #list(folder: Folder, deep: boolean): Promise<void> {
    const { recursive } = this.#options;
    const inner: Place[] = [];
    const met = new Set<string>();
    let cut = false;
    const report = (thrown: unknown): void => {
      cut = true;
      if (this.#isCurrent(folder)) this.#unlisted(folder, thrown);
    };
    for await (const { place, kind } of contentsOf(folder.place, this.#context, report)) {
      if (!this.#isCurrent(folder)) return;
      if (kind === 'file') await this.#file(place);
      else if (recursive) {
        met.add(pathOf(place));
        (kind === 'folder' ? inner : this.#links).push(place);
      }
    }
    if (folder.listed && !cut) this.#dropUnmet(folder, met);
    folder.listed = true;
    for (const place of inner) await this.#meet(place, deep);
  }

  /** A folder may be replaced or the watch be over while it is read. */
  #isCurrent(folder: Folder): boolean {
    return !this.#closed && this.#folders.get(folder.path) === folder;
  }

  async #file(place: Place): Promise<void> {
    if (this.#options.isIgnored(place, false) || !isWanted(place.relative, this.#context)) return;
    await this.#options.found(place);
  }

  /** A folder that vanished while it was read is told of by the one above it. */
  #unlisted(folder: Folder, thrown: unknown): void {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    this.#options.problem(unreadable(thrown, nameOf(folder.place)));
  }

  #dropUnmet(folder: Folder, met: ReadonlySet<string>): void {
    for (const inner of [...this.#folders.values()]) {
      const isChild = inner.place.relative !== '' && dirname(inner.path) === folder.path;
      if (isChild && !met.has(inner.path)) this.#drop(inner.place);
    }
  }

  #drop(place: Place): void {
    const dropped = this.#below(place);
    for (const folder of dropped) this.#forget(folder);
    if (dropped.length > 0) this.#options.gone(place);
  }

  #below(place: Place): readonly Folder[] {
    const prefix = place.relative === '' ? '' : `${place.relative}/`;
    return [...this.#folders.values()].filter(
      ({ place: other }) =>
        other.folder === place.folder &&
        (other.relative === place.relative || other.relative.startsWith(prefix)),
    );
  }

  #forget(folder: Folder): void {
    folder.watcher?.close();
    this.#folders.delete(folder.path);
    this.#reals.delete(folder.real);
    this.#deaf.delete(folder.path);
  }
}

/**
 * Whether what is there is still that folder. The time of birth counts only where an end was told: an overlay changes it
 * with the first write, and where the system does not know it, it changes with each file that comes.
 */
function isSame({ inode, born, doubted }: Folder, { ino, birthtimeMs }: Stats): boolean {
  return ino === inode && (!doubted || birthtimeMs === born);
}
