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
  return process.stderr.isTTY === true && process.env.CI === undefined && process.env.TERM !== 'dumb';
}

/** Whether colours are wanted (https://no-color.org). */
export function hasColour(): boolean {
  return isTerminal() && (process.env.NO_COLOR ?? '') === '';
}

/** Text with terminal controls made visible, so that no file name can steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    if (control === '\n') return '\\n';
    return `\\x${(control.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
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
