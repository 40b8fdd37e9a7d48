import { expected, ImgtoolError, toImgtoolError } from '../errors.js';
import { compact, isWasteful, lockOf } from './compact.js';
import { type Entry, entryLine, isEntry, parseLine, removedLine } from './entry.js';
import { LineReader, LONGEST_LINE } from './lines.js';
import { waitForHolder } from './lock.js';
import { LogFile } from './log.js';
import { replay } from './replay.js';
import { OffsetTable } from './table.js';

/** What earlier runs left in a folder. */
export interface ManifestView {
  /** Outputs on record. */
  readonly size: number;
  /** Lines passed over as torn, damaged or not ours. */
  readonly damaged: number;
  /** The latest entry of an output, named relative to the folder with `/` separators. */
  lookup(output: string): Entry | undefined;
  /** Takes up what other runs have recorded meanwhile. */
  refresh(): void;
  /** The latest entry of every output as of now, in the order written, a few at a time in memory. */
  entries(): Iterable<Entry>;
  /** Writes out what is buffered, resolves once it is on the disk, and frees the file. */
  close(): Promise<void>;
}

/** The same, to be added to; any number of processes may do so at once. */
export interface Manifest extends ManifestView {
  /**
   * Remembers an output in place of its earlier entry. A claim (no `made`) is in the file when this returns and takes
   * everything buffered along; a finished entry is buffered until the next claim, 16 KiB, flush or close.
   */
  record(entry: Entry): void;
  /** Forgets an output; buffered like a finished entry. */
  remove(output: string): void;
  /** Puts what is buffered into the file, where a killed process no longer loses it (a power cut may, until close). */
  flush(): void;
}

const BATCH = 16 << 10;
// Each costs a read of the log; a real one comes at the end of some run, so a few in a row are already rare.
const REPLACEMENTS = 100;
/** Stands in the table for an output whose latest line is still buffered: an offset no file reaches. */
const BUFFERED = 2 ** 47;

/** A manifest over the log at a path, which is made by the first record. */
export class Ledger implements Manifest {
  readonly #path: string;
  readonly #access: 'read' | 'append';
  #log: LogFile | undefined;
  #reader: LineReader | undefined;
  #table = new OffsetTable();
  #end = 0;
  #records = 0;
  #damaged = 0;
  /** Whether a line at the end is torn, or half written by another run: which of the two, the next look tells. */
  #torn = false;
  #wrote = false;
  readonly #buffered = new Map<string, Buffered>();
  #bufferedBytes = 0;

  constructor(path: string, access: 'read' | 'append') {
    this.#path = path;
    this.#access = access;
    this.#guard(() => this.#load(LogFile.open(path, access)));
  }

  get size(): number {
    return this.#table.size;
  }

  get damaged(): number {
    return this.#damaged + (this.#torn ? 1 : 0);
  }

  lookup(output: string): Entry | undefined {
    const offset = this.#table.get(output);
    if (offset === undefined) return undefined;
    if (offset === BUFFERED) return this.#buffered.get(output)?.entry;
    const entry = entryAt(this.#reader, offset, this.#end);
    return entry?.output === output ? entry : undefined;
  }

  refresh(): void {
    this.#guard(() => {
      const size = this.#log?.standing;
      if (size === undefined) this.#takeUp(LogFile.open(this.#path, this.#access));
      else if (size > this.#end) this.#catchUp(size);
    });
  }

  *entries(): Iterable<Entry> {
    this.flush();
    if (this.#log === undefined) return;
    const release = this.#log.hold();
    try {
      const reader = new LineReader(this.#log.fd);
      const end = this.#end;
      for (const offset of this.#table.offsets()) {
        const entry = entryAt(reader, offset, end);
        if (entry !== undefined) yield entry;
      }
    } finally {
      release();
    }
  }

  record(entry: Entry): void {
    const line = entryLine(entry);
    if (!isEntry(entry) || line.length > LONGEST_LINE / 4)
      throw this.#refusal('an entry whose output lies in the folder', line);
    this.#buffer(entry.output, { line, entry });
    if (entry.made === undefined) this.flush();
  }

  remove(output: string): void {
    if (this.#table.get(output) !== undefined)
      this.#buffer(output, { line: removedLine(output), entry: undefined });
  }

  flush(): void {
    if (this.#buffered.size > 0) this.#guard(() => this.#append());
  }

  async close(): Promise<void> {
    try {
      this.flush();
      if (this.#wrote) await this.#log?.sync();
    } finally {
      this.#log?.release();
      this.#log = undefined;
      this.#reader = undefined;
    }
    if (this.#wrote && isWasteful(this.#records, this.size)) this.#tidy();
  }

  #buffer(output: string, buffered: Buffered): void {
    this.#buffered.set(output, buffered);
    this.#bufferedBytes += buffered.line.length;
    this.#mark(output, buffered);
    if (this.#bufferedBytes >= BATCH) this.flush();
  }

  #mark(output: string, { entry }: Buffered): void {
    if (entry === undefined) this.#table.delete(output);
    else this.#table.set(output, BUFFERED);
  }

  #append(): void {
    const batch = Buffer.from(Array.from(this.#buffered.values(), ({ line }) => `\n${line}`).join(''));
    for (let attempt = 0; attempt < REPLACEMENTS; attempt++) {
      const log = this.#log ?? this.#create();
      log.append(batch);
      this.#wrote = true;
      const size = log.standing;
      if (size !== undefined) {
        this.#settle(batch.length, size);
        return;
      }
      // what was carried over from the old file comes behind the compaction: our lines are newer and go behind that
      waitForHolder(lockOf(this.#path));
      this.#reload();
    }
    throw this.#refusal('a manifest that stays in place', 'one that was replaced again and again');
  }

  /** Finds where the batch went: at the old end, when the file grew by just its length, else somewhere in what is new. */
  #settle(length: number, size: number): void {
    const batch = [...this.#buffered];
    this.#buffered.clear();
    this.#bufferedBytes = 0;
    if (size === this.#end + length) this.#place(batch, size);
    else if (size > this.#end) this.#catchUp(size);
    else this.#reload();
  }

  #place(batch: readonly (readonly [string, Buffered])[], size: number): void {
    let offset = this.#end;
    for (const [output, { line, entry }] of batch) {
      if (entry !== undefined) this.#table.set(output, offset + 1);
      offset += 1 + Buffer.byteLength(line);
    }
    this.#records += batch.length;
    this.#end = size;
  }

  #create(): LogFile {
    const log = LogFile.openOrCreate(this.#path);
    this.#load(log);
    return log;
  }

  /** Takes up the file that a compaction by another process put in place of ours, or a new one. */
  #reload(): void {
    this.#log?.release();
    this.#log = undefined;
    this.#create();
  }

  /** What stands at the path now, where another run made or replaced it. */
  #takeUp(log: LogFile | undefined): void {
    if (log === undefined) return;
    this.#log?.release();
    this.#load(log);
  }

  #load(log: LogFile | undefined): void {
    this.#table = new OffsetTable();
    this.#records = 0;
    this.#damaged = 0;
    this.#torn = false;
    this.#end = 0;
    this.#log = log;
    this.#reader = log && new LineReader(log.fd);
    if (log !== undefined) this.#readAll(log);
    for (const [output, buffered] of this.#buffered) this.#mark(output, buffered);
  }

  #readAll(log: LogFile): void {
    try {
      this.#catchUp(log.size);
    } catch (error) {
      log.release();
      this.#log = undefined;
      throw error;
    }
  }

  #catchUp(size: number): void {
    if (this.#log === undefined) return;
    const { records, damaged, end } = replay(this.#log.fd, this.#end, size, this.#table, this.#path);
    this.#records += records;
    this.#damaged += damaged;
    this.#torn = end < size;
    this.#end = end;
  }

  /** A compaction that fails (no room, no right to rename) costs nothing but the room it would have saved. */
  #tidy(): void {
    try {
      compact(this.#path);
    } catch {
      // The old log is whole and stays.
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw toImgtoolError(error, 'E_MANIFEST', { file: this.#path });
    }
  }

  #refusal(wanted: string, received: string): ImgtoolError {
    return new ImgtoolError('E_MANIFEST', expected(wanted, received), { stage: 'write', file: this.#path });
  }
}

interface Buffered {
  readonly line: string;
  /** Absent when the line takes the output back. */
  readonly entry: Entry | undefined;
}

function entryAt(reader: LineReader | undefined, offset: number, end: number): Entry | undefined {
  const line = reader && parseLine(reader.at(offset, end));
  return line?.kind === 'entry' ? line.entry : undefined;
}
