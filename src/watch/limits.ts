import { readFileSync } from 'node:fs';
import { expected, ImgtoolError } from '../errors.js';

/** What the system's codes say it has run out of, and how to give it more. */
const REMEDIES: Readonly<
  Record<string, { readonly what: string; readonly key: string; readonly more: number }>
> = {
  ENOSPC: { what: 'another inotify watch', key: 'max_user_watches', more: 524_288 },
  EMFILE: { what: 'another inotify instance', key: 'max_user_instances', more: 1024 },
};

/** Why a folder cannot be listened to, with the line to type where a limit of the system is in the way. */
export function deafTo(folder: string, thrown: unknown, seconds: number): ImgtoolError {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'an error';
  const remedy = REMEDIES[code];
  const until = `until then it is looked through every ${seconds} s`;
  const context = { stage: 'find', file: folder, cause: thrown } as const;
  if (remedy === undefined)
    return new ImgtoolError('E_READ', `${expected('to hear of changes', code)}; ${until}`, context);
  const { what, key, more } = remedy;
  const limit = `the system's limit (fs.inotify.${key} = ${settingOf(key)})`;
  const line = `sudo sysctl fs.inotify.${key}=${more}`;
  return new ImgtoolError(
    'E_READ',
    `${expected(what, limit)}; raise it with: ${line}, and start again, or use --poll; ${until}`,
    context,
  );
}

function settingOf(key: string): string {
  try {
    return readFileSync(`/proc/sys/fs/inotify/${key}`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
