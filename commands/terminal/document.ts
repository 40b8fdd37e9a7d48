import { ImgtoolError } from '../../src/errors.js';
import { writeData } from './streams.js';

/** The version of the JSON documents' form; it grows only by new fields. */
export const REPORT_SCHEMA = 'imgtool.report/1';

/** Standard output takes one document, so one is all that a process has. */
let state: 'none' | 'open' | 'closed' = 'none';
let separator = '';

/** A JSON document whose list is written as it comes, so that a million items need no memory. */
export interface ListDocument {
  add(item: object): Promise<void>;
  /** Ends the list, and the document with it: `tail` is what stands beside the list. */
  close(tail: object): Promise<void>;
}

/** The JSON document of this process, begun with its first item; whatever ends the process closes it. */
export function listDocument(head: object, list: string): ListDocument {
  const opening = `${JSON.stringify({ schema: REPORT_SCHEMA, ...head }).slice(0, -1)},"${list}":[\n`;
  const opened = (): string => {
    if (state === 'open') return separator;
    state = 'open';
    return opening;
  };
  return {
    async add(item) {
      const before = opened();
      separator = ',\n';
      await writeData(before + JSON.stringify(item));
    },
    async close(tail) {
      const before = separator === '' ? opened() : '';
      state = 'closed';
      await writeData(before + ending(tail));
    },
  };
}

/** Puts the error that ends the process into its document: one that was begun is closed, one that is complete stays. */
export async function endDocument(error: ImgtoolError): Promise<void> {
  const before = state;
  state = 'closed';
  if (before === 'open') await writeData(ending({ error }));
  if (before === 'none') await writeData(`${JSON.stringify({ schema: REPORT_SCHEMA, error })}\n`);
}

/** Closes a begun document before the process leaves at once. */
export function breakOffDocument(): void {
  if (state !== 'open') return;
  state = 'closed';
  process.stdout.write(ending({ error: new ImgtoolError('E_CANCELLED', 'the run was broken off') }));
}

function ending(tail: object): string {
  const rest = JSON.stringify(tail).slice(1);
  return `\n]${rest === '}' ? '' : ','}${rest}\n`;
}
