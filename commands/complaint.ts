import { ERRORS, type ImgtoolError } from '../src/errors.js';
import { errorText } from '../src/report/text.js';
import { typed } from './catalogue.js';
import { endDocument } from './terminal/document.js';
import { stopLive } from './terminal/live-line.js';
import { printable, say, writeData } from './terminal/streams.js';

/** Tells of an error that ends a command: in words, and as JSON where JSON was asked for. */
export async function complain(
  error: ImgtoolError,
  argv: readonly string[],
  command: string | undefined,
): Promise<void> {
  stopLive();
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (options.includes('--json')) await endDocument(error);
  else if (options.includes('--ndjson')) await writeData(`${JSON.stringify({ type: 'error', error })}\n`);
  say(`imgtool: ${printable(errorText(error))}`);
  if (ERRORS[error.code].exit === 2)
    say(command === undefined ? 'see imgtool --help' : `see imgtool ${typed(command)} --help`);
  // a usage error says all there is to mend; its cause is the parser's own affair
  if (options.includes('--verbose') && error.code !== 'E_USAGE') sayCause(error.cause);
}

function sayCause(cause: unknown): void {
  if (cause instanceof Error && cause.stack !== undefined)
    for (const line of cause.stack.split('\n')) say(`  ${printable(line)}`);
}
