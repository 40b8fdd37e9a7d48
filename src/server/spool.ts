import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expected, ImgtoolError, toImgtoolError } from '../errors.js';
import { isRunning } from '../io/temporary.js';

/** An input that a server can process: a file, and what tells it from any other. */
export interface SpooledInput {
  /** Absolute. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Equal for equal bytes; of an upload, its SHA-256 in hexadecimal. */
  readonly identity: string;
  /** Keeps the file until the function returned is called; the file goes with the last of its holders. */
  hold(): () => void;
}

/** A file that stays where it is as an input; its identity is that of the file as it is now. */
export function standingInput(path: string, { size, mtimeMs, ino }: Stats): SpooledInput {
  return { path, size, identity: `${path} ${size} ${mtimeMs} ${ino}`, hold: () => () => undefined };
}

/** A spooled input in the hands of the one who wrote it. */
export interface Upload extends SpooledInput {
  /** Ends the writer's own hold. */
  release(): void;
}

/** An upload on its way in, piece by piece. */
export interface Draft {
  /** Bytes written so far. */
  readonly size: number;
  /** Throws E_LIMIT_BYTES, before it is written, for a piece that makes it too large, and E_WRITE or E_DISK_FULL. */
  append(chunk: Uint8Array): Promise<void>;
  /** The whole upload. Throws E_EMPTY when there are no bytes. */
  finish(): Promise<Upload>;
  /** Removes what was written. */
  abandon(): Promise<void>;
}

/** A folder for uploads and large results. */
export interface Spool {
  readonly folder: string;
  /** Begins an upload of at most so many bytes; to be finished or abandoned. */
  draft(most: number): Draft;
  /**
   * Writes a stream to a file, counting while it comes. Throws as a draft does, E_READ when the stream fails, and the
   * signal's reason; nothing stays behind then. To be released in the end.
   */
  write(chunks: Chunks, most: number, signal: AbortSignal): Promise<Upload>;
  /** Removes the folder with all that is in it. */
  close(): void;
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Makes a spool folder inside `parent`, readable by nobody else, and removes those that killed servers left there. */
export function openSpool(parent: string): Spool {
  sweep(parent);
  const folder = mkdtempSync(join(parent, `imgtool-spool-${process.pid}-`));
  const draft = (most: number): Draft => newDraft(join(folder, `upload-${randomUUID()}`), most);
  return {
    folder,
    draft,
    async write(chunks, most, signal) {
      const upload = draft(most);
      try {
        for await (const chunk of incoming(chunks)) {
          signal.throwIfAborted();
          await upload.append(chunk);
        }
        return await upload.finish();
      } catch (thrown) {
        await upload.abandon();
        throw signal.aborted ? signal.reason : thrown;
      }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Pieces are gathered to this many bytes: each write is a trip through the pool of threads. */
const WRITTEN_AT_ONCE = 256 * 1024;

function newDraft(path: string, most: number): Draft {
  const hash = createHash('sha256');
  let file: FileHandle | undefined;
  let size = 0;
  let gathered: Uint8Array[] = [];
  let unwritten = 0;
  const flush = async (): Promise<void> => {
    if (unwritten === 0) return;
    const pieces = gathered;
    gathered = [];
    unwritten = 0;
    try {
      file ??= await open(path, 'wx', 0o600);
      await writeAll(file, pieces);
    } catch (thrown) {
      throw toImgtoolError(thrown, 'E_WRITE', { stage: 'read' });
    }
  };
  return {
    get size() {
      return size;
    },
    async append(chunk) {
      if (size + chunk.length > most) throw tooManyBytes(most);
      hash.update(chunk);
      size += chunk.length;
      gathered.push(chunk);
      unwritten += chunk.length;
      if (unwritten >= WRITTEN_AT_ONCE) await flush();
    },
    async finish() {
      await flush();
      await file?.close();
      if (size === 0) throw new ImgtoolError('E_EMPTY', expected('a picture', '0 bytes'), { stage: 'read' });
      const hold = holds(path);
      return { path, size, identity: hash.digest('hex'), hold, release: hold() };
    },
    async abandon() {
      gathered = [];
      await file?.close().catch(() => undefined);
      await unlink(path).catch(() => undefined);
    },
  };
}

/** A vectored write may stop short, on a disk that fills up. */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytesWritten } = await file.writev([...pieces]);
  if (bytesWritten < total) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
}

/** A folder is litter when its process is gone and nothing was written for an hour, should the process be another machine's. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const match = /^imgtool-spool-(\d+)-/.exec(name);
    if (match === null || isRunning(Number(match[1]))) continue;
    const path = join(parent, name);
    try {
      if (Date.now() - statSync(path).mtimeMs > HOUR_MS) rmSync(path, { recursive: true, force: true });
    } catch {
      // another user's, or swept by another server just now
    }
  }
}

const HOUR_MS = 3_600_000;

/** What fails on the way in is not the spool's fault. */
async function* incoming(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (thrown) {
    throw toImgtoolError(thrown, 'E_READ', { stage: 'read' });
  }
}

/** The refusal of an input of more than `most` bytes, also for one that only says so of itself. */
export function tooManyBytes(most: number): ImgtoolError {
  const size = most < MIB ? `${most} bytes` : `${Math.round((most / MIB) * 100) / 100} MiB`;
  return new ImgtoolError('E_LIMIT_BYTES', expected(`at most ${size}`, 'more'), { stage: 'read' });
}

const MIB = 1024 * 1024;

function holds(path: string): () => () => void {
  let holders = 0;
  return () => {
    holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      holders -= 1;
      if (holders === 0) void unlink(path).catch(() => undefined);
    };
  };
}
