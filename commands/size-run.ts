import pLimit from 'p-limit';
import { expected, ImgtoolError } from '../src/errors.js';
import { type Facts, factsOfSource } from '../src/facts.js';
import type { Source } from '../src/io/source.js';
import { processors } from '../src/machine.js';
import { bytesText } from '../src/report/figures.js';
import { csvRow, table } from '../src/report/table.js';
import { tuneEngine } from '../src/versions.js';
import type { BatchFlags } from './batch-command.js';
import { planInputs } from './inputs.js';
import { REPORT_SCHEMA } from './terminal/reporter.js';
import { printable, say, writeData } from './terminal/streams.js';

/** The flags of `size`. */
export type SizeFlags = Partial<BatchFlags> & { readonly csv?: boolean };

/** Rows that align with each other; more come in a next block, so that a million need no memory. */
const BLOCK = 500;

/** Prints what pictures are and gives the exit code. */
export async function tellSizes(args: readonly string[], flags: SizeFlags): Promise<number> {
  tuneEngine();
  const inputs = await planInputs(args, flags as BatchFlags, undefined);
  const printer = printerFor(flags);
  const counts = { found: 0, failed: 0 };
  const fail = async (error: ImgtoolError): Promise<void> => {
    counts.failed += 1;
    await printer.error(error);
    say(`  ${printable(`failed ${error.file}: ${error.stage}, ${error.code}: ${error.message}`)}`);
  };
  inputs.listen({ problem: fail, unreadable: () => undefined });
  for await (const result of inOrder(inputs.find(new AbortController().signal), flags)) {
    if (result instanceof ImgtoolError) await fail(result);
    else {
      counts.found += 1;
      await printer.row(result);
    }
  }
  await printer.end();
  if (counts.found + counts.failed > 0 || flags['allow-empty'] === true) return counts.failed > 0 ? 1 : 0;
  throw new ImgtoolError('E_NOTHING_MATCHED', expected('pictures', `none in ${args.join(' ')}`), {
    stage: 'find',
  });
}

/** Reads several headers at a time and yields them in the order they were found. */
async function* inOrder(
  sources: AsyncIterable<Source>,
  flags: SizeFlags,
): AsyncGenerator<Facts | ImgtoolError> {
  const concurrency = flags.concurrency ?? processors() + 1;
  const limit = pLimit(concurrency);
  const waiting: Promise<Facts | ImgtoolError>[] = [];
  for await (const source of sources) {
    waiting.push(
      limit(() => factsOfSource(source, flags['auto-orient'] !== false)).catch(
        (error: ImgtoolError) => error,
      ),
    );
    if (waiting.length > concurrency * 4) yield await (waiting.shift() as Promise<Facts | ImgtoolError>);
  }
  for (const pending of waiting) yield await pending;
}

interface Printer {
  row(facts: Facts): Promise<void>;
  error(error: ImgtoolError): Promise<void>;
  end(): Promise<void>;
}

function printerFor(flags: SizeFlags): Printer {
  if (flags.json === true) return jsonPrinter();
  if (flags.ndjson === true)
    return linePrinter(
      (facts) => JSON.stringify({ type: 'facts', ...facts }),
      (error) => JSON.stringify({ type: 'error', source: error.file, error }),
    );
  return flags.csv === true ? csvPrinter() : tablePrinter();
}

function jsonPrinter(): Printer {
  let separator = `{"schema":"${REPORT_SCHEMA}","sizes":[\n`;
  const errors: ImgtoolError[] = [];
  return {
    async row(facts) {
      await writeData(separator + JSON.stringify(facts));
      separator = ',\n';
    },
    error: async (error) => void errors.push(error),
    end: () => writeData(`${separator === ',\n' ? '' : separator}\n],"errors":${JSON.stringify(errors)}}\n`),
  };
}

function linePrinter(line: (facts: Facts) => string, errorLine?: (error: ImgtoolError) => string): Printer {
  return {
    row: (facts) => writeData(`${line(facts)}\n`),
    error: async (error) => (errorLine === undefined ? undefined : writeData(`${errorLine(error)}\n`)),
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

function csvPrinter(): Printer {
  const lines = linePrinter((facts) =>
    csvRow(COLUMNS.map((column) => (column === 'file' ? facts.source : facts[column]))),
  );
  let head: Promise<void> | undefined;
  return {
    ...lines,
    async row(facts) {
      head ??= writeData(`${csvRow([...COLUMNS])}\n`);
      await head;
      await lines.row(facts);
    },
  };
}

function tablePrinter(): Printer {
  let rows: string[][] = [];
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return;
    const lines = table(
      [['file', 'format', 'size', 'pages', 'channels', 'orientation', 'bytes'], ...rows],
      new Set([2, 3, 4, 5, 6]),
    );
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
