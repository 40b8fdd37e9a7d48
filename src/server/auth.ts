import { createHash, timingSafeEqual } from 'node:crypto';
import { expected, ImgtoolError } from '../errors.js';

/** Judges the credentials of a request: its `authorization` header or metadata. Throws E_AUTH. */
export type Auth = (authorization: string | undefined) => void;

/** Lets everybody in without a token, else those who bring it as `Bearer TOKEN`. */
export function bearerAuth(token: string | undefined): Auth {
  if (token === undefined) return () => undefined;
  const wanted = digest(token);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // digests have one length, so that neither time nor a length check tells how much of a token was right
    if (given === undefined || !timingSafeEqual(digest(given), wanted)) throw refused(authorization);
  };
}

/** Says whether there was one, and never quotes it. */
function refused(authorization = ''): ImgtoolError {
  const received = /^\s*(Bearer\s*)?$/i.test(authorization) ? 'none' : 'another one';
  return new ImgtoolError('E_AUTH', expected('Authorization: Bearer with the right token', received));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
