import { Command } from '@oclif/core';
import { ERRORS, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { leaveOnClosedPipe, printable, say, writeData } from './terminal/streams.js';

/** What every command shares: one way to end, in words for people or JSON for programs, with the right exit code. */
export abstract class ImgtoolCommand extends Command {
  override async init(): Promise<void> {
    leaveOnClosedPipe();
    await super.init();
  }

  override async catch(thrown: Error & { exitCode?: number; oclif?: { exit?: number } }): Promise<void> {
    if (isExit(thrown)) throw thrown;
    const error = isUsage(thrown)
      ? new ImgtoolError('E_USAGE', usageText(thrown), { cause: thrown })
      : toImgtoolError(thrown, 'E_INTERNAL');
    await complain(error, this.argv, this.id);
    process.exitCode = ERRORS[error.code].exit;
  }
}

/** Tells of an error that ends a command. */
export async function complain(
  error: ImgtoolError,
  argv: readonly string[],
  command: string | undefined,
): Promise<void> {
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (options.includes('--json') || options.includes('--ndjson'))
    await writeData(`${JSON.stringify({ error })}\n`);
  const place = error.field ?? error.file;
  say(
    `imgtool: ${error.code}: ${place === undefined ? '' : `${printable(place)}: `}${printable(error.message)}`,
  );
  if (ERRORS[error.code].exit === 2 && command !== undefined)
    say(`see imgtool ${command.replaceAll(':', ' ')} --help`);
}

/** `this.exit()` and `--help` end a command by throwing. */
function isExit(thrown: Error & { oclif?: { exit?: number } }): boolean {
  return (thrown as { code?: string }).code === 'EEXIT';
}

/** What oclif's parser throws carries the parse; all of it is the user's to mend. */
function isUsage(thrown: Error & { oclif?: { exit?: number } }): boolean {
  return 'parse' in thrown || thrown.oclif?.exit === 2;
}

function usageText(thrown: Error): string {
  return thrown.message.replace(/\n?See more help with --help\s*$/, '').replaceAll('\n', ' ');
}
