import { join } from 'node:path';
import { fileSource, type LocalSource } from '../io/source.js';

/** A folder that is watched. */
export interface WatchedFolder {
  /** Absolute. */
  readonly path: string;
  /** As the user called it. */
  readonly name: string;
  /** Which of the arguments it is, from 0. */
  readonly argument: number;
}

/** Where something lies: in which watched folder, and the way on from there. */
export interface Place {
  readonly folder: WatchedFolder;
  /** With `/` separators; empty for the watched folder itself. */
  readonly relative: string;
}

/** The absolute path of a place. */
export function pathOf({ folder, relative }: Place): string {
  return join(folder.path, relative);
}

/** A place as the user would call it. */
export function nameOf({ folder, relative }: Place): string {
  return join(folder.name, relative);
}

/** A place one step below another. */
export function below({ folder, relative }: Place, name: string): Place {
  return { folder, relative: relative === '' ? name : `${relative}/${name}` };
}

/** The picture at a place, for the flow. */
export function sourceAt(place: Place): LocalSource {
  const { folder, relative } = place;
  return fileSource({
    path: pathOf(place),
    name: nameOf(place),
    root: folder.path,
    relative,
    argument: folder.argument,
    explicit: false,
  });
}
