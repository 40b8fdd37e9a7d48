import { ERRORS } from '../../src/errors.js';
import { GENERATED, markdownTable } from './markdown.js';

/** docs/errors.md: the one table of codes. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { title, exit, retry, http, grpc }]) => [
    `\`${code}\``,
    title,
    String(exit),
    retry ? 'yes' : 'no',
    String(http),
    grpc,
  ]);
  return `# Errors

${GENERATED}

Every failure has a stable code, names the file and the stage it arose in (plan, find, read, decode, process, encode,
write), and says what was expected and what was received. One bad file never stops the others.

${markdownTable(['code', 'meaning', 'exit', 'worth a retry', 'HTTP', 'gRPC'], rows)}

The columns \`exit\`, \`HTTP\` and \`gRPC\` are how each door passes the code on: the exit code counts when the error
ends the whole command, not when it concerns one file of many.

## Exit codes

${markdownTable(
  ['exit code', 'meaning'],
  [
    ['0', 'all done, or skipped as up to date'],
    ['1', 'some pictures failed; the others are done'],
    ['2', 'the command, the recipe or the configuration is not understood; nothing was done'],
    ['3', 'no input matched; `--allow-empty` makes it 0'],
    ['130', 'ended by Ctrl-C: what was running was finished'],
    ['143', 'ended by SIGTERM: what was running was finished'],
  ],
)}
`;
}
