import type { ImgtoolError } from '../src/errors.js';
import type { Facts } from '../src/facts.js';
import { bytesText } from '../src/report/figures.js';
import { csvRow, table } from '../src/report/table.js';
import { listDocument } from './terminal/document.js';
import { printable, writeData } from './terminal/streams.js';

/** Prints facts as they come. */
export interface SizePrinter {
  row(facts: Facts): Promise<void>;
  error(error: ImgtoolError): Promise<void>;
  end(interrupted: boolean): Promise<void>;
}

/** The printer that the flags ask for. */
export function sizePrinter(flags: {
  readonly json?: boolean | undefined;
  readonly ndjson?: boolean | undefined;
  readonly csv?: boolean | undefined;
}): SizePrinter {
  if (flags.json === true) return jsonPrinter();
  if (flags.ndjson === true) return ndjsonPrinter();
  return flags.csv === true ? csvPrinter() : tablePrinter();
}

function jsonPrinter(): SizePrinter {
  const document = listDocument({}, 'sizes');
  const errors: ImgtoolError[] = [];
  return {
    row: (facts) => document.add(facts),
    error: async (error) => void errors.push(error),
    end: (interrupted) => document.close({ errors, ...(interrupted && { interrupted }) }),
  };
}

function ndjsonPrinter(): SizePrinter {
  return {
    row: (facts) => writeData(`${JSON.stringify({ type: 'facts', ...facts })}\n`),
    error: (error) => writeData(`${JSON.stringify({ type: 'failed', source: error.file ?? '-', error })}\n`),
    end: async () => undefined,
  };
}

const COLUMNS = [
  'file',
  'format',
  'width',
  'height',
  'pages',
  'channels',
  'depth',
  'space',
  'alpha',
  'orientation',
  'density',
  'bytes',
] as const;

function csvPrinter(): SizePrinter {
  let head = `${csvRow([...COLUMNS])}\n`;
  const line = (text: string): Promise<void> => {
    const before = head;
    head = '';
    return writeData(before + text);
  };
  return {
    row: (facts) =>
      line(`${csvRow(COLUMNS.map((column) => (column === 'file' ? facts.source : facts[column])))}\n`),
    error: async () => undefined,
    end: () => line(''),
  };
}

/** Rows that align with each other; more come in a next block, so that a million need no memory. */
const BLOCK = 500;

const HEAD = ['file', 'format', 'size', 'pages', 'channels', 'orientation', 'bytes'];

function tablePrinter(): SizePrinter {
  let rows: string[][] = [];
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return;
    const lines = table([HEAD, ...rows], new Set([2, 3, 6]));
    rows = [];
    await writeData(`${lines.join('\n')}\n`);
  };
  return {
    async row(facts) {
      rows.push(tableRow(facts));
      if (rows.length >= BLOCK) await flush();
    },
    error: async () => undefined,
    end: flush,
  };
}

function tableRow(facts: Facts): string[] {
  const { source, format, width, height, pages, channels, depth, space, orientation, bytes } = facts;
  return [
    printable(source),
    format,
    `${width}x${height}`,
    String(pages),
    `${channels} ${space}${depth === 16 ? ' 16 bit' : ''}`,
    String(orientation),
    bytesText(bytes),
  ];
}
