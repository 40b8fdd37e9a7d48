import { flush, run } from '@oclif/core';
import { complain } from '../commands/command.js';
import { ERRORS, toImgtoolError } from '../src/errors.js';

/** Runs the command line. Never awaited at the top level: a closed pipe would then end it with exit code 13. */
export async function main(argv: string[]): Promise<void> {
  try {
    await run(argv, import.meta.url);
  } catch (thrown) {
    await end(thrown, argv);
  }
  await flush();
}

/** What no command caught: `--help` and `exit` with their codes, a command that does not exist, a fault of ours. */
async function end(thrown: unknown, argv: readonly string[]): Promise<void> {
  const oclif = (thrown as { oclif?: { exit?: number } }).oclif;
  if ((thrown as { code?: string }).code === 'EEXIT') {
    process.exitCode = oclif?.exit ?? 0;
    return;
  }
  const error = toImgtoolError(thrown, oclif?.exit === 2 ? 'E_USAGE' : 'E_INTERNAL');
  await complain(error, argv, undefined);
  process.exitCode = ERRORS[error.code].exit;
}
