import { expected, ImgtoolError, toImgtoolError } from '../errors.js';

/** Why something could not be opened, as one error of stage `find` that names it as the user does. */
export function unreadable(thrown: unknown, name: string): ImgtoolError {
  if (!isMangled(name)) return toImgtoolError(thrown, 'E_READ', { stage: 'find', file: name });
  const message = expected('a file name in UTF-8', name);
  return new ImgtoolError('E_READ', message, { stage: 'find', file: name, cause: thrown });
}

/** Whether a name may have held bytes that are no UTF-8: they come as U+FFFD, and such a path opens nothing. */
export function isMangled(name: string): boolean {
  return name.includes('\ufffd');
}

/** Whether a system error says that nothing lies at the path. */
export function isAbsent(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !('code' in thrown)) return false;
  return thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR';
}
