import { readSync } from 'node:fs';

/** Bytes of the longest line that is read; what is longer is not a line of ours. */
export const LONGEST_LINE = 1 << 20;

/** What lines are separated by. */
export const NEWLINE = 0x0a;
const SMALL_READ = 4 << 10;
const LARGE_READ = 256 << 10;

/** Calls `visit` with each non-empty line between two offsets, where it begins and ends; holds 1 MiB whatever the length. */
export function scanLines(fd: number, from: number, to: number, visit: Visit): void {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(LONGEST_LINE, to - from)));
  let start = from;
  let held = 0;
  while (start + held < to) {
    const room = Math.min(buffer.length - held, to - start - held);
    const read = readSync(fd, buffer, held, room, start + held);
    if (read === 0) break;
    held += read;
    let done = visitWhole(buffer, held, start, visit);
    // A line that fills the buffer cannot be ours: it is handed over in pieces that no parser will take.
    if (done === 0 && held === buffer.length) done = visitRest(buffer, 0, held, start, visit);
    buffer.copyWithin(0, done, held);
    start += done;
    held -= done;
  }
  visitRest(buffer, 0, held, start, visit);
}

type Visit = (line: string, offset: number, end: number) => void;

function visitWhole(buffer: Buffer, held: number, start: number, visit: Visit): number {
  const bytes = buffer.subarray(0, held);
  let begin = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, begin)) {
    begin = visitRest(bytes, begin, end, start, visit) + 1;
  }
  return begin;
}

function visitRest(buffer: Buffer, begin: number, end: number, start: number, visit: Visit): number {
  if (end > begin) visit(buffer.toString('utf8', begin, end), start + begin, start + end);
  return end;
}

/**
 * Lines by their offset, read ahead: asked for in about the order they were written, 100,000 lines cost some hundred
 * reads; asked for at random, each costs 4 KiB.
 */
export class LineReader {
  readonly #fd: number;
  #block = Buffer.alloc(0);
  #start = 0;
  #ahead = SMALL_READ;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The line that begins at `offset` in a file of `size` bytes. */
  at(offset: number, size: number): string {
    const held = this.#find(offset, size);
    if (held !== undefined) return held;
    this.#adapt(offset);
    for (;;) {
      this.#read(offset, size);
      const line = this.#find(offset, size);
      if (line !== undefined) return line;
      // Only a line longer than the block comes here; one past all bounds reads as empty, which no parser takes.
      if (this.#ahead > LONGEST_LINE) return '';
      this.#ahead *= 4;
    }
  }

  #find(offset: number, size: number): string | undefined {
    const begin = offset - this.#start;
    if (begin < 0 || begin >= this.#block.length) return undefined;
    const end = this.#block.indexOf(NEWLINE, begin);
    if (end !== -1) return this.#block.toString('utf8', begin, end);
    return this.#start + this.#block.length >= size ? this.#block.toString('utf8', begin) : undefined;
  }

  #adapt(offset: number): void {
    const end = this.#start + this.#block.length;
    const onwards = offset >= this.#start && offset < end + LARGE_READ;
    this.#ahead = onwards ? Math.min(this.#ahead * 4, LARGE_READ) : SMALL_READ;
  }

  /** Begins a little before the offset: outputs finish out of order, so the next one asked for may lie just behind. */
  #read(offset: number, size: number): void {
    this.#start = Math.max(0, offset - this.#ahead / 8);
    const length = Math.max(0, Math.min(this.#ahead, size - this.#start));
    const block = Buffer.allocUnsafe(length);
    this.#block = block.subarray(0, readSync(this.#fd, block, 0, length, this.#start));
  }
}
