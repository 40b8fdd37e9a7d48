import { complain } from '../commands/complaint.js';
import { leaveOnClosedPipe, writeData } from '../commands/terminal/streams.js';
import { ERRORS, toImgtoolError } from '../src/errors.js';

/** Runs the command line. Never awaited at the top level: a closed pipe would then end it with exit code 13. */
export async function main(argv: readonly string[]): Promise<void> {
  leaveOnClosedPipe();
  try {
    await (wantsHelp(argv) ? help(argv) : runCommand(argv));
  } catch (thrown) {
    const error = toImgtoolError(thrown, 'E_INTERNAL');
    await complain(error, argv, undefined);
    process.exitCode = ERRORS[error.code].exit;
  }
}

function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  return own.length === 0 || own[0] === 'help' || own.includes('--help') || own.includes('-h');
}

/** Help comes from the file that the build writes: neither the commands nor their parser are loaded for it. */
async function help(argv: readonly string[]): Promise<void> {
  const { readCatalogue } = await import('../commands/catalogue.js');
  const { helpFor } = await import('../commands/help.js');
  const words = (argv[0] === 'help' ? argv.slice(1) : argv).filter((word) => !word.startsWith('-'));
  // off a terminal the width is fixed, so that help can be compared and piped
  const width = Math.min(100, Math.max(40, process.stdout.columns ?? 80));
  await writeData(`${helpFor(words, readCatalogue(), width)}\n`);
}

async function runCommand(argv: readonly string[]): Promise<void> {
  const [{ COMMANDS }, { find }, { ImgtoolCommand }] = await Promise.all([
    import('../commands/index.js'),
    import('../commands/find-command.js'),
    import('../commands/command.js'),
  ]);
  const { id, command, rest } = find(argv, COMMANDS);
  await ImgtoolCommand.start(command, id, rest);
}
