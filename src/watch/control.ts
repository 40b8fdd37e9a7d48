import { statSync } from 'node:fs';
import { type FSWatcher, watch } from 'chokidar';

/** Files that say what is to be done, and may change. */
export interface ControlFiles {
  close(): Promise<void>;
}

/** Editors write a file in several steps; so long after the last one it is read. */
const QUIET = 100;

/** Who is told of files that may change. */
export interface ControlListener {
  /** One of them may have changed, gone or come back. */
  changed(): void;
  /** They cannot be watched. */
  failed(thrown: unknown): void;
}

/** Watches a few files, whichever way editors replace them. */
export function watchFiles(paths: readonly string[], poll: boolean, listener: ControlListener): ControlFiles {
  const watcher: FSWatcher = watch([...paths], { ignoreInitial: true, usePolling: poll });
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => listener.changed(), QUIET);
  };
  watcher.on('all', soon);
  // they may have changed between being read and being watched; a pipe is read but once
  if (paths.every(canBeReadAgain)) watcher.on('ready', soon);
  watcher.on('error', (thrown) => listener.failed(thrown));
  return {
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

function canBeReadAgain(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
