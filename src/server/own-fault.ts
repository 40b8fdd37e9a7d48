import type { ImgtoolError } from '../errors.js';

/** Whether an error is the server's own fault: its words may name the server's files, and are for the log alone. */
export function isOwnFault({ code }: ImgtoolError): boolean {
  return code === 'E_INTERNAL' || code === 'E_WRITE';
}
