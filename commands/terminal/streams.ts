import { once } from 'node:events';

/** Writes data for programs to standard output, waiting when the reader is slow; a reader that left ends the process quietly. */
export async function writeData(data: string | Uint8Array): Promise<void> {
  if (process.stdout.write(data)) return;
  await once(process.stdout, 'drain');
}

/** Writes a line for people to standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whether people look at standard error, so that a live line makes sense. */
export function isTerminal(): boolean {
  const { isTTY, columns } = process.stderr;
  // one without a size (as `script` or a container may give) would have ora clear lines without end
  return isTTY === true && columns > 0 && process.env.CI === undefined && process.env.TERM !== 'dumb';
}

/** Whether colours are wanted (https://no-color.org). */
export function hasColour(): boolean {
  return isTerminal() && (process.env.NO_COLOR ?? '') === '';
}

/**
 * Text with what could steer a terminal made visible: controls, line separators, and the marks that turn the direction
 * of writing, which can make a name look like another.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (control) => {
    if (control === '\n') return '\\n';
    const digits = (control.codePointAt(0) ?? 0).toString(16);
    return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
  });
}

/** Lets a reader that closes the pipe early (`| head`) end the process without a stack trace. */
export function leaveOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}
