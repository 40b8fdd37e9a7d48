import { expected, ImgtoolError } from './errors.js';
import { Arrivals } from './watch/arrivals.js';
import { Departures } from './watch/departures.js';
import { Ignores } from './watch/ignores.js';
import type { Tell, WatchOptions, WatchState, WatchWork } from './watch/options.js';
import { type Place, pathOf, type WatchedFolder } from './watch/place.js';
import { FolderTree } from './watch/tree.js';

export { watchFiles } from './watch/control.js';
export type {
  Order,
  Tell,
  WatchEvent,
  WatchOptions,
  WatchState,
  WatchWork,
} from './watch/options.js';
export type { WatchedFolder } from './watch/place.js';

/** Folders that keep themselves processed. */
export interface Watch {
  /** Resolves once it has stopped and what ran is finished; rejects with what makes going on meaningless. */
  readonly ended: Promise<void>;
  state(): WatchState;
  /** Does something else from now on, to what is there as well. */
  use(work: WatchWork): void;
  /** Takes no more pictures; what runs is finished. */
  stop(): void;
}

/**
 * Processes the pictures in folders, and those that come, until it is stopped. It listens before it looks, so that
 * nothing falls in between; what the manifest knows to be unchanged is left alone.
 */
export function startWatch(options: WatchOptions, tell: Tell): Watch {
  const run = new WatchRun(options, tell);
  const ended = run.run();
  return {
    ended,
    state: () => run.state(),
    use: (work) => run.use(work),
    stop: () => run.stop(),
  };
}

/** How long after a deletion results are seen to: a rename tells of both names at once, a deleted folder of many. */
const SETTLE = 300;

class WatchRun {
  readonly #options: WatchOptions;
  readonly #tell: Tell;
  readonly #ignores: Ignores;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  readonly #tree: FolderTree;
  /** Pictures met in each watched folder since it was last looked through from its top. */
  readonly #met = new Map<WatchedFolder, number>();
  /** What a search last counted: when it differs, something came or went. */
  #counts = '';
  #work: WatchWork;
  #caughtUp = false;
  #stopped = false;
  #wake: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions, tell: Tell) {
    this.#options = options;
    this.#tell = tell;
    this.#work = options.work;
    this.#ignores = new Ignores(options.ignore, options.folders);
    this.#departures = new Departures(options.mirror, tell);
    this.#arrivals = new Arrivals(options, {
      tell,
      departed: (path) => this.#departed(path),
      arrived: (path, look) => this.#departures.arrived(path, look),
      holds: (place) => this.#tree.holds(place),
      folder: (place) => this.#tree.meet(place),
      lookAgain: (folders) =>
        this.#look(async () => {
          for (const folder of folders) await this.#tree.lookAgain(folder);
        }),
    });
    this.#tree = this.#newTree();
  }

  state(): WatchState {
    const { waiting, running } = this.#arrivals;
    const ready = this.#caughtUp && this.#tree.whole && !this.#stopped;
    return { waiting, running, folders: this.#tree.size, ready };
  }

  use(work: WatchWork): void {
    this.#work = work;
    this.#arrivals.use(work);
    void this.#lookThrough();
  }

  stop(): void {
    this.#stopped = true;
    this.#tree.close();
    this.#arrivals.stop();
    this.#wake();
  }

  async run(): Promise<void> {
    try {
      this.#arrivals.failed.catch(() => this.stop());
      await this.#lookThrough();
      for (const folder of this.#options.folders) this.#sweep(folder);
      await this.#arrivals.idle();
      await this.#departures.settle(this.#work);
      if (!this.#stopped) {
        this.#caughtUp = true;
        await this.#tell({ type: 'caught-up' });
      }
      if (!this.#options.once) await this.#keepOn();
    } finally {
      this.stop();
      await this.#looking;
      await this.#arrivals.drained();
    }
    await this.#arrivals.failed;
  }

  /** Sees to what events do not tell: whether the folders still stand, what departed, and everything when polling. */
  async #keepOn(): Promise<void> {
    const { poll } = this.#options;
    let checked = Date.now();
    for (let beat = 1; !this.#stopped; ) {
      await this.#pause(Math.min(SETTLE, poll ?? SETTLE));
      await this.#departures.settle(this.#work);
      if (this.#stopped || Date.now() - checked < (poll ?? FolderTree.BEAT)) continue;
      await this.#tree.check(beat);
      if (poll !== undefined) await this.#lookForAll();
      checked = Date.now();
      beat += 1;
    }
  }

  async #lookForAll(): Promise<void> {
    for (const folder of this.#options.folders) this.#reload(folder);
    await this.#lookThrough();
    const counts = [...this.#met.values(), this.#arrivals.settled].join(' ');
    if (counts === this.#counts) return;
    this.#counts = counts;
    for (const folder of this.#options.folders) this.#sweep(folder, true);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #newTree(): FolderTree {
    const { folders, recursive, poll, once, excluded } = this.#options;
    const known = new Set(excluded);
    const tell = (event: Parameters<Tell>[0]): void => void this.#tell(event);
    return new FolderTree({
      folders,
      recursive,
      listens: poll === undefined && !once,
      isExcluded: (real) => known.has(real),
      isIgnored: (place, isFolder) => this.#ignores.has(place, isFolder),
      found: (place) => {
        this.#met.set(place.folder, (this.#met.get(place.folder) ?? 0) + 1);
        return this.#arrivals.found(place);
      },
      heard: (place) => this.#arrivals.heard(place),
      gone: (place) => this.#folderGone(place),
      rules: (folder) => this.#reload(folder),
      overrun: () => void this.#lookThrough(),
      state: (folder, state) => {
        tell({ type: 'folder', path: folder.path, state });
        if (state === 'back') void this.#lookThrough().then(() => this.#sweep(folder));
      },
      problem: (error) => tell({ type: 'problem', error }),
      unreadable: (kind) => tell({ type: 'unreadable', kind }),
    });
  }

  #lookThrough(): Promise<void> {
    return this.#look(async () => {
      this.#met.clear();
      await this.#tree.lookThrough();
    });
  }

  /** One search at a time. */
  #look(search: () => Promise<void>): Promise<void> {
    const after = this.#looking.then(async () => {
      if (!this.#stopped) await this.#arrivals.during(search);
    });
    this.#looking = after.catch(() => undefined);
    return after;
  }

  #reload(folder: WatchedFolder): void {
    if (this.#ignores.reload(folder)) void this.#lookThrough();
  }

  #departed(path: string): void {
    if (this.#options.done === undefined) this.#departures.file(path);
  }

  /** That a watched folder itself is gone may mean that its disk is: its results stay. */
  #folderGone(place: Place): void {
    if (place.relative !== '' && this.#options.done === undefined) this.#departures.folder(pathOf(place));
  }

  /** Has the results of originals that went while nobody listened seen to, unless the whole folder looks empty. */
  #sweep(folder: WatchedFolder, always = false): void {
    if (!(this.#options.mirror || always) || this.#options.done !== undefined || this.#stopped) return;
    if ((this.#met.get(folder) ?? 0) > 0) this.#departures.folder(folder.path);
    else this.#spare(folder);
  }

  #spare(folder: WatchedFolder): void {
    if (this.#caughtUp || (this.#work.destination.manifest?.size ?? 0) === 0) return;
    const message = `${expected('pictures', 'none')}; what was made of earlier ones is left alone`;
    const error = new ImgtoolError('E_NOTHING_MATCHED', message, { stage: 'find', file: folder.name });
    void this.#tell({ type: 'problem', error });
  }
}
