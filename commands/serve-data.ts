import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpool } from '../src/server/spool.js';

/** Where a server keeps its jobs. */
export interface DataFolder {
  readonly path: string;
  /** Whether another start finds it again. */
  readonly lasts: boolean;
  /** Removes a folder that goes with the server. */
  leave(): void;
}

/**
 * The folder that was asked for, else one for each port in the place for a user's data (XDG Base Directory
 * Specification). A server on any free port is not found again by its port, so its folder goes with it.
 */
export function dataFolder(asked: string | undefined, port: number): DataFolder {
  if (asked === undefined && port === 0) {
    // a spool is swept by the next server when its own was killed
    const { folder, close } = openSpool(tmpdir());
    return { path: folder, lasts: false, leave: close };
  }
  const place = process.env.XDG_DATA_HOME || join(process.env.HOME || homedir(), '.local', 'share');
  const path = asked ?? join(place, 'imgtool', `serve-${port}`);
  return { path, lasts: true, leave: () => undefined };
}
