import { expected, ImgtoolError, type Stage, toImgtoolError } from '../errors.js';
import { FORMATS, formats } from './extensions.js';
import { headOf } from './head.js';
import type { Input } from './input.js';
import { sniff } from './magic.js';

/** What sharp or libvips said, as an error of ours that says what the bytes really are. */
export async function explainFailure(thrown: unknown, input: Input, stage: Stage): Promise<ImgtoolError> {
  if (thrown instanceof ImgtoolError) return thrown;
  let head: Uint8Array;
  try {
    head = await headOf(input);
  } catch (unreadable) {
    return toImgtoolError(unreadable, 'E_READ', { stage: 'read' });
  }
  if (head.length === 0)
    return new ImgtoolError('E_EMPTY', expected('a picture', 'a file of 0 bytes'), { stage: 'decode' });
  const type = sniff(head);
  if (!isReadable(type)) return unsupported(type, thrown);
  return new ImgtoolError(
    'E_DECODE',
    `${expected(`a whole ${type.toUpperCase()}`, 'a damaged one')}: ${sayingOf(thrown)}`,
    {
      stage,
      cause: thrown,
    },
  );
}

function isReadable(type: string | undefined): type is string {
  return type !== undefined && type in FORMATS && FORMATS[type as keyof typeof FORMATS].reads;
}

function unsupported(type: string | undefined, cause: unknown): ImgtoolError {
  const readable = formats().filter((format) => FORMATS[format].reads);
  const received = type === undefined ? 'bytes of no known picture format' : `${type} data`;
  return new ImgtoolError('E_UNSUPPORTED', expected(`a picture (${readable.join(', ')})`, received), {
    stage: 'decode',
    cause,
  });
}

/** The first line that says something; libvips repeats itself, and names files by paths a caller may not see. */
function sayingOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const lines = message
    .split('\n')
    .map((line) => line.replace(/^Input (file|buffer) has corrupt header: /, '').trim());
  return lines.find((line) => line.length > 0 && !/^(Input|\/)/.test(line)) ?? lines[0] ?? 'no reason given';
}
