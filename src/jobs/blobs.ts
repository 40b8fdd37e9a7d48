import { open, opendir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../errors.js';
import { makeFolder } from '../io/folders.js';
import { forget, temporaryIn } from '../io/temporary.js';
import { prepared, writeWhole } from '../io/write.js';
import { folderSync } from './folder-sync.js';
import { isId, newId } from './ids.js';
import type { BlobId } from './job.js';

/** Bytes that are safely on the disk; whoever stored them discards them, or hands them to a job. */
export interface StoredBlob {
  readonly blob: BlobId;
  readonly bytes: number;
}

/** Bytes kept beside a queue, by name: inputs that came by upload, and results. All together keep under a cap. */
export interface BlobStore {
  /** Stores bytes; throws E_QUEUE_FULL over the cap, E_LIMIT_BYTES over `limit`, E_DISK_FULL; nothing stays then. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>, limit?: number): Promise<StoredBlob>;
  /** A name and a path for a file that another process writes; it counts once it is kept. */
  place(): { readonly blob: BlobId; readonly path: string };
  /** Takes in the file written at a place; throws as `put`, and E_NOT_FOUND when there is none. */
  keep(blob: BlobId): Promise<StoredBlob>;
  /** Where a blob's bytes are; throws E_NOT_FOUND for what cannot be a name. */
  path(blob: BlobId): string;
  /** Removes a blob that no job owns; does nothing to others. */
  discard(blob: BlobId): Promise<void>;
}

/** How a queue takes part in the keeping of blobs. Blobs `loose` belong to no job yet. */
export interface BlobOwner {
  readonly store: BlobStore;
  /** Bytes of all blobs. */
  bytes(): number;
  isLoose(blob: BlobId): boolean;
  /** Makes a loose blob a job's, gives its size; throws E_NOT_FOUND unless it is loose. */
  take(blob: BlobId): number;
  /** What was taken since the last call stays taken. */
  settle(): void;
  /** What was taken since the last `settle` is loose again. */
  undo(): void;
  /** Removes the file of a blob that was a job's. */
  remove(blob: BlobId, bytes: number): Promise<void>;
  /** Resolves once the files are gone that are being removed. */
  removed(): Promise<void>;
  /** Removes the files of no job: what a crash left. Never rejects: what stays is swept at the next start. */
  sweep(isOwned: (blob: BlobId) => boolean): Promise<void>;
}

/** The blobs in a folder; `owned` bytes are there already, `cap` is the most there may be. */
export async function openBlobs(folder: string, cap: number, owned: number): Promise<BlobOwner> {
  await makeFolder(folder);
  await prepared(folder);
  return new Blobs(folder, cap, owned);
}

class Blobs implements BlobOwner, BlobStore {
  readonly store: BlobStore = this;
  readonly #folder: string;
  readonly #cap: number;
  readonly #loose = new Map<BlobId, number>();
  readonly #taken = new Map<BlobId, number>();
  /** Names given out, whose files are being written. */
  readonly #open = new Set<BlobId>();
  readonly #going = new Set<Promise<void>>();
  readonly #sync: () => Promise<void>;
  #bytes: number;

  constructor(folder: string, cap: number, owned: number) {
    this.#folder = folder;
    this.#cap = cap;
    this.#bytes = owned;
    this.#sync = folderSync(folder);
  }

  bytes(): number {
    return this.#bytes;
  }

  path(blob: BlobId): string {
    if (!isId(blob)) throw new ImgtoolError('E_NOT_FOUND', expected('the name of a blob', blob));
    return join(this.#folder, blob);
  }

  place(): { blob: BlobId; path: string } {
    const blob = newId(Date.now());
    this.#open.add(blob);
    return { blob, path: this.path(blob) };
  }

  async put(
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<StoredBlob> {
    const { blob, path } = this.place();
    const room = { bytes: 0, limit };
    try {
      if (bytes instanceof Uint8Array) {
        this.#reserve(room, bytes.length);
        await writeWhole(path, bytes);
      } else await writeStream(this.#folder, path, bytes, (count) => this.#reserve(room, count));
      await this.#sync();
      return this.#stored(blob, room.bytes);
    } catch (thrown) {
      this.#bytes -= room.bytes;
      await this.#abandon(blob);
      throw thrown;
    }
  }

  async keep(blob: BlobId): Promise<StoredBlob> {
    const room = { bytes: 0, limit: Number.POSITIVE_INFINITY };
    try {
      if (!this.#open.has(blob)) throw new ImgtoolError('E_NOT_FOUND', expected('a blob just placed', blob));
      const { size } = await stat(this.path(blob));
      this.#reserve(room, size);
      await this.#sync();
      return this.#stored(blob, size);
    } catch (thrown) {
      this.#bytes -= room.bytes;
      if (this.#open.has(blob)) await this.#abandon(blob);
      throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write' });
    }
  }

  async discard(blob: BlobId): Promise<void> {
    const bytes = this.#loose.get(blob);
    if (bytes !== undefined) {
      this.#loose.delete(blob);
      await this.remove(blob, bytes);
    } else if (this.#open.has(blob)) await this.#abandon(blob);
  }

  isLoose(blob: BlobId): boolean {
    return this.#loose.has(blob);
  }

  take(blob: BlobId): number {
    const bytes = this.#loose.get(blob);
    if (bytes === undefined) throw new ImgtoolError('E_NOT_FOUND', expected('a blob of no other job', blob));
    this.#loose.delete(blob);
    this.#taken.set(blob, bytes);
    return bytes;
  }

  settle(): void {
    this.#taken.clear();
  }

  undo(): void {
    for (const [blob, bytes] of this.#taken) this.#loose.set(blob, bytes);
    this.#taken.clear();
  }

  async remove(blob: BlobId, bytes: number): Promise<void> {
    this.#bytes -= bytes;
    // a file that is gone already is as it should be, one that stays is swept at the next start
    const going = unlink(this.path(blob)).catch(() => undefined);
    this.#going.add(going);
    await going;
    this.#going.delete(going);
  }

  async removed(): Promise<void> {
    await Promise.all(this.#going);
  }

  async sweep(isOwned: (blob: BlobId) => boolean): Promise<void> {
    await this.#sweepFolder(isOwned).catch(() => undefined);
  }

  async #sweepFolder(isOwned: (blob: BlobId) => boolean): Promise<void> {
    for await (const { name } of await opendir(this.#folder, { bufferSize: 256 })) {
      if (!isId(name) || this.#loose.has(name) || this.#open.has(name) || isOwned(name)) continue;
      await unlink(join(this.#folder, name)).catch(() => undefined);
    }
  }

  #reserve(room: { bytes: number; readonly limit: number }, count: number): void {
    if (room.bytes + count > room.limit) {
      throw new ImgtoolError('E_LIMIT_BYTES', expected(`at most ${room.limit} bytes`, 'more'), {
        stage: 'read',
      });
    }
    if (this.#bytes + count > this.#cap) {
      const message = expected(`at most ${this.#cap} bytes in store`, `${this.#bytes + count}`);
      throw new ImgtoolError('E_QUEUE_FULL', message, { stage: 'write' });
    }
    room.bytes += count;
    this.#bytes += count;
  }

  #stored(blob: BlobId, bytes: number): StoredBlob {
    this.#open.delete(blob);
    this.#loose.set(blob, bytes);
    return { blob, bytes };
  }

  async #abandon(blob: BlobId): Promise<void> {
    await unlink(this.path(blob)).catch(() => undefined);
    this.#open.delete(blob);
  }
}

/** As `writeWhole`, for bytes that come one by one and whose number is known at the end. */
async function writeStream(
  folder: string,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): Promise<void> {
  const temporary = temporaryIn(folder);
  try {
    const file = await open(temporary, 'wx');
    try {
      for await (const chunk of chunks) {
        count(chunk.length);
        await file.writeFile(chunk);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    throw toImgtoolError(thrown, 'E_WRITE', { stage: 'write' });
  } finally {
    forget(temporary);
  }
}
