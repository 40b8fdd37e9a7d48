import type { Destination } from '../deliver.js';
import type { ImgtoolError } from '../errors.js';
import type { Outcome } from '../outcome.js';
import type { Work } from '../picture.js';
import type { WatchedFolder } from './place.js';

/** Which waiting picture comes first. */
export type Order = 'oldest' | 'newest';

/** What is done to each picture: results go into a folder with a manifest. */
export interface WatchWork extends Work {
  readonly destination: Extract<Destination, { readonly kind: 'folder' }>;
}

/** How folders are watched; times in milliseconds, paths absolute. */
export interface WatchOptions {
  readonly folders: readonly WatchedFolder[];
  readonly recursive: boolean;
  readonly work: WatchWork;
  /** Pictures in flight. */
  readonly concurrency: number;
  readonly order: Order;
  /** Pictures known and waiting; what comes on top of them is looked for again later. */
  readonly capacity: number;
  /** How long size and times must stand still before a picture is taken. */
  readonly stability: number;
  /** How often a picture that does not decode is tried. */
  readonly tries: number;
  /** The wait before the second try; it doubles for each one after. */
  readonly retryDelay: number;
  /** Look through the folders this often instead of being told of changes. */
  readonly poll?: number;
  /** End once everything there has been processed. */
  readonly once: boolean;
  /** Remove the results of originals that are gone. */
  readonly mirror: boolean;
  /** Patterns as in a .gitignore. */
  readonly ignore: readonly string[];
  /** Where pictures go that cannot be processed. */
  readonly failed?: string;
  /** Where originals go that were processed. */
  readonly done?: string;
  /** Folders never searched, such as those of results. */
  readonly excluded: readonly string[];
}

/** What a watch tells as it goes. Paths are absolute, sources as the user calls them. */
export type WatchEvent =
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  | {
      readonly type: 'retry';
      readonly source: string;
      readonly error: ImgtoolError;
      /** The try that failed, from 1. */
      readonly attempt: number;
      /** Milliseconds until the next one. */
      readonly delay: number;
    }
  | { readonly type: 'moved'; readonly source: string; readonly path: string; readonly to: 'done' | 'failed' }
  | { readonly type: 'removed'; readonly path: string; readonly reason: 'deleted' | 'renamed' }
  | { readonly type: 'folder'; readonly path: string; readonly state: 'gone' | 'back' }
  | { readonly type: 'problem'; readonly error: ImgtoolError }
  | { readonly type: 'unreadable'; readonly kind: string }
  | { readonly type: 'caught-up' };

/** Told of what happens, one event at a time for each picture. */
export type Tell = (event: WatchEvent) => void | Promise<void>;

/** How a watch stands. */
export interface WatchState {
  /** Pictures waiting their turn, as far as they are known. */
  readonly waiting: number;
  readonly running: number;
  /** Folders heard of, subfolders included. */
  readonly folders: number;
  /** Whether all folders are there and what lay in them at the start has been processed. */
  readonly ready: boolean;
}
