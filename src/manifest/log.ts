import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expected, ImgtoolError } from '../errors.js';
import { forget, temporaryIn } from '../io/temporary.js';
import { HEADER } from './entry.js';

// A link planted under the manifest's name would have us append to somebody's file. Windows has no such flag.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const ATTEMPTS = 3;

/**
 * One file of log, open for as long as anyone holds it, even after a compaction put another in its place. Batches begin
 * with a newline instead of ending with one, so that whatever a killed process left half written stays a line of its own.
 */
export class LogFile {
  readonly fd: number;
  readonly path: string;
  readonly #identity: string;
  #holders = 1;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
    this.#identity = identity(fstatSync(fd, { bigint: true }));
  }

  /** The log at a path, or undefined when there is none; E_MANIFEST when something else is in its place. */
  static open(path: string, access: 'read' | 'append'): LogFile | undefined {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there === undefined) return undefined;
    if (!there.isFile()) throw notAFile(path);
    const flags = access === 'read' ? constants.O_RDONLY : constants.O_RDWR | constants.O_APPEND;
    const fd = unlessAbsent(() => openSync(path, flags | NO_FOLLOW));
    return fd === undefined ? undefined : new LogFile(path, fd);
  }

  /** The log at a path for appending, made with its folder when there is none. */
  static openOrCreate(path: string): LogFile {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const log = LogFile.open(path, 'append');
      if (log !== undefined) return log;
      create(path);
    }
    throw new ImgtoolError(
      'E_MANIFEST',
      expected('a manifest that stays in place', 'one that keeps vanishing'),
      {
        stage: 'write',
        file: path,
      },
    );
  }

  /** Bytes in the file. */
  get size(): number {
    return fstatSync(this.fd).size;
  }

  /** Bytes in the file when it still is the one at its path, else undefined. */
  get standing(): number | undefined {
    const there = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return there !== undefined && identity(there) === this.#identity ? Number(there.size) : undefined;
  }

  /** Appends in a single write, which other appenders cannot split; after a short one (a full disk) all of it once more. */
  append(bytes: Uint8Array): void {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (writeSync(this.fd, bytes) === bytes.length) return;
    }
    throw new ImgtoolError('E_DISK_FULL', expected(`room for ${bytes.length} bytes`, 'a short write'), {
      stage: 'write',
      file: this.path,
    });
  }

  /** Resolves once what was appended is on the disk. */
  async sync(): Promise<void> {
    await promisify(fdatasync)(this.fd);
  }

  /** Keeps the file open until the returned release is called. */
  hold(): () => void {
    this.#holders++;
    return () => this.release();
  }

  /** Gives up one hold; the last one closes the file. */
  release(): void {
    if (--this.#holders === 0) closeSync(this.fd);
  }
}

/** Puts a new log in place whole and only where there is none, so that of two runs neither sees one without its header. */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryIn(dirname(path));
  try {
    writeFileSync(temporary, HEADER, { flag: 'wx' });
    linkSync(temporary, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    createInPlace(path);
  } finally {
    rmSync(temporary, { force: true });
    forget(temporary);
  }
}

/** For file systems without hard links: FAT, some shares. */
function createInPlace(path: string): void {
  try {
    writeFileSync(path, HEADER, { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

// EISDIR is what Windows' "invalid function" comes out as.
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
  'EISDIR',
]);

function unlessAbsent<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function identity(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

function notAFile(path: string): ImgtoolError {
  const message = `${expected('a regular file', 'a folder, a link or a device')}: remove it, choose another --out, or pass --no-manifest`;
  return new ImgtoolError('E_MANIFEST', message, { stage: 'plan', file: path });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
