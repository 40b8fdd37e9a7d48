import { basename } from 'node:path';
import { expected, ImgtoolError } from '../errors.js';
import type { Source } from './source.js';

/** Bounds on one download. */
export interface DownloadLimits {
  /** Most bytes of the body. */
  readonly bytes: number;
  /** Most milliseconds from the request to the last byte. */
  readonly ms: number;
  readonly redirects: number;
}

/** What the command line allows: the addresses are the user's own. */
export const DOWNLOAD_LIMITS: DownloadLimits = { bytes: 256 << 20, ms: 60_000, redirects: 5 };

/** Whether an argument is the address of a picture rather than a path. */
export function isUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text);
}

/** A picture on the web as a source; it is fetched when its turn comes. */
export function urlSource(url: string, argument: number, limits = DOWNLOAD_LIMITS): Source {
  const relative = nameIn(url);
  const input = { kind: 'remote', fetch: (signal?: AbortSignal) => download(url, limits, signal) } as const;
  return { name: url, root: '', relative, argument, explicit: true, input };
}

/** The body of a URL, streamed and counted. Throws E_NOT_FOUND, E_READ, E_LIMIT_BYTES or E_TIMEOUT. */
export async function download(
  url: string,
  limits: DownloadLimits,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(limits.ms);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    return await counted(await requested(url, limits.redirects, either), limits.bytes, url);
  } catch (thrown) {
    if (thrown instanceof ImgtoolError) throw thrown;
    if (timeout.aborted)
      throw failure('E_TIMEOUT', expected(`an answer within ${limits.ms / 1000} s`, 'none'), url, thrown);
    const cause = (thrown as { cause?: { code?: string; message?: string } }).cause;
    throw failure(
      'E_READ',
      expected('an answer', cause?.code ?? cause?.message ?? String(thrown)),
      url,
      thrown,
    );
  }
}

/** Follows redirects itself, to count them and to keep to http and https. */
async function requested(url: string, redirects: number, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'image/*' } });
  const location = response.headers.get('location');
  if (response.status < 300 || response.status >= 400 || location === null) return answered(response, url);
  await response.body?.cancel();
  const next = new URL(location, url);
  if (redirects === 0) throw failure('E_READ', expected('fewer redirects', `one more to ${next.href}`), url);
  if (next.protocol !== 'http:' && next.protocol !== 'https:')
    throw failure('E_READ', expected('a redirect to http or https', next.protocol), url);
  return requested(next.href, redirects - 1, signal);
}

async function answered(response: Response, url: string): Promise<Response> {
  if (response.ok) return response;
  await response.body?.cancel();
  const code = response.status === 404 || response.status === 410 ? 'E_NOT_FOUND' : 'E_READ';
  throw failure(code, expected('status 200', `${response.status} ${response.statusText}`.trim()), url);
}

async function counted(response: Response, most: number, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > most) throw failure('E_LIMIT_BYTES', expected(`at most ${most} bytes`, 'more'), url);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** A file name from the last part of the address's path, or its host; separators and controls are left out. */
function nameIn(url: string): string {
  const { pathname, hostname } = new URL(url);
  const last = basename(pathname);
  return (decoded(last) || hostname).replaceAll(/[\\/:\p{Cc}]/gu, '-').replace(/^\.+/, '-');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function failure(
  code: 'E_NOT_FOUND' | 'E_READ' | 'E_LIMIT_BYTES' | 'E_TIMEOUT',
  message: string,
  file: string,
  cause?: unknown,
): ImgtoolError {
  return new ImgtoolError(code, message, { stage: 'read', file, cause });
}
