import { expected, ImgtoolError } from '../errors.js';
import { parseLine, VERSION } from './entry.js';
import { scanLines } from './lines.js';
import type { OffsetTable } from './table.js';

/** What a stretch of log held. */
export interface Replayed {
  /** Lines that recorded or removed an output, superseded ones too. */
  readonly records: number;
  /** Lines that were torn, damaged or not ours, and were passed over. */
  readonly damaged: number;
  /** Where the next look begins: behind what was played, or at a last line that makes no sense yet. */
  readonly end: number;
}

/**
 * Plays the lines between two offsets into the table, later ones winning; E_MANIFEST when a newer imgtool wrote them.
 * A file grows page by page, so the last line may be one that another process is still writing: it is left for later.
 */
export function replay(fd: number, from: number, to: number, table: OffsetTable, file: string): Replayed {
  let records = 0;
  let damaged = 0;
  let end = to;
  scanLines(fd, from, to, (text, offset, behind) => {
    const line = parseLine(text);
    if (line === undefined && behind === to) end = offset;
    else if (line === undefined) damaged++;
    else if (line.kind === 'header') refuseNewer(line.version, file);
    else {
      records++;
      if (line.kind === 'entry') table.set(line.entry.output, offset);
      else table.delete(line.output);
    }
  });
  return { records, damaged, end };
}

function refuseNewer(version: number, file: string): void {
  if (version <= VERSION) return;
  const message = `${expected(`a manifest of version ${VERSION}`, `version ${version}, written by a newer imgtool`)}: update imgtool, choose another --out, or pass --no-manifest`;
  throw new ImgtoolError('E_MANIFEST', message, { stage: 'plan', file });
}
