import type { FastifyInstance } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import { nearest } from '../../operations/nearest.js';
import type { JobKind } from '../jobs/kinds.js';
import type { CompatApi, CompatDoors } from './api.js';
import { imageapi } from './imageapi.js';
import { thumbnails } from './thumbnails.js';
import { uploadPoll } from './upload-poll.js';

/** The APIs of other services that are answered beside our own. */
export const COMPAT_APIS: readonly CompatApi[] = [imageapi, thumbnails, uploadPoll];

/** Which of them a server answers, and how long it keeps what. */
export interface CompatOptions {
  /** As {@link compatNames} gives them. */
  readonly names: readonly string[];
  /** Milliseconds that jobs are kept, for APIs that are to keep them shorter or longer than they do themselves. */
  readonly ttl: Readonly<Record<string, number>>;
  /** Where `bucket/` lies; the data folder by default. */
  readonly bucketParent?: string;
}

/** The names in `all`, `none`, or a list with commas. Throws E_USAGE naming those there are. */
export function compatNames(text: string): readonly string[] {
  const known = COMPAT_APIS.map(({ name }) => name);
  if (text === 'all') return known;
  if (text === 'none') return [];
  const asked = text.split(',').map((name) => name.trim());
  const wrong = asked.find((name) => !known.includes(name));
  if (wrong === undefined) return known.filter((name) => asked.includes(name));
  const near = nearest(wrong, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  const message = `${expected(`all, none, or a list of ${known.join(', ')}`, wrong === '' ? 'an empty name' : wrong)}${hint}`;
  throw new ImgtoolError('E_USAGE', `--compat: ${message}`, { field: 'compat' });
}

/** What the jobs of all of them do. */
export function compatKinds(bucketParent: string): Readonly<Record<string, JobKind>> {
  return Object.assign({}, ...COMPAT_APIS.map(({ kinds }) => kinds({ bucketParent })));
}

/** Adds the routes of those that were chosen. */
export function compatRoutes(app: FastifyInstance, { names, ttl }: CompatOptions, doors: CompatDoors): void {
  for (const api of COMPAT_APIS.filter(({ name }) => names.includes(name)))
    api.routes(app, { ...doors, ttl: ttl[api.name] ?? api.ttl });
}
