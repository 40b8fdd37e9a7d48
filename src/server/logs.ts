import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { makeFolder } from '../io/folders.js';

/** The logs of a server: JSON lines, one event each. */
export interface Logs {
  /** Requests, one line each. */
  readonly access: Logger;
  /** What went wrong in the server itself. */
  readonly errors: Logger;
  /** What decoder processes said, and how they ended. */
  readonly workers: Logger;
  /** Opens the files anew, after they were moved away. */
  reopen(): void;
}

/** Where logs go: `access.log`, `error.log` and `worker.log` in a folder, or all to one file descriptor. */
export type LogTarget = { readonly folder: string } | { readonly descriptor: number };

/** Opens the logs; makes the folder. Throws what the file system says. */
export async function openLogs(target: LogTarget): Promise<Logs> {
  if ('folder' in target) await makeFolder(target.folder);
  const open = (name: string): Log => {
    // written at once: a log that a crash takes with it tells least of what it is for
    const dest = 'folder' in target ? join(target.folder, `${name}.log`) : target.descriptor;
    const sink = pino.destination({ dest, sync: true });
    return { logger: pino({ base: { log: name }, timestamp: pino.stdTimeFunctions.isoTime }, sink), sink };
  };
  const access = open('access');
  const errors = open('error');
  const workers = open('worker');
  return {
    access: access.logger,
    errors: errors.logger,
    workers: workers.logger,
    reopen() {
      if ('folder' in target) for (const { sink } of [access, errors, workers]) sink.reopen();
    },
  };
}

interface Log {
  readonly logger: Logger;
  readonly sink: { reopen(): void };
}
