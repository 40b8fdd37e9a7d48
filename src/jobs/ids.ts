import { randomFillSync } from 'node:crypto';
import type { JobId } from './job.js';

/** Random bytes are drawn for many ids at once: one system call each would cost more than the id. */
const pool = new Uint8Array(10 * 256);
let used = pool.length;

/** A new UUIDv7 (RFC 9562): 48 bits of milliseconds since 1970, then 74 random bits. */
export function newId(now: number): JobId {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = Buffer.from(pool.subarray(used, used + 10));
  used += 10;
  random[0] = 0x70 | ((random[0] ?? 0) & 0x0f);
  random[2] = 0x80 | ((random[2] ?? 0) & 0x3f);
  const hex = Math.trunc(now).toString(16).padStart(12, '0') + random.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether a text has the form of an id; nothing else may become part of a path. */
export function isId(text: string): boolean {
  return ID.test(text);
}
