import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ImgtoolError } from '../../errors.js';
import { clientHas } from '../http/answer.js';
import { isLoopback, type Neighbourhood } from '../http/foreign.js';

/** What the page is told when it is served. */
export interface PageOptions extends Neighbourhood {
  readonly version: string;
  /** Whether there are queued jobs to show. */
  readonly jobs: boolean;
}

/**
 * The page at `/` with its script, style sheet and icon; it holds no secret, so that it opens without a token and asks
 * for one. Where strangers could use it, which is off loopback without a token, it is off.
 */
export function pageRoutes(app: FastifyInstance, options: PageOptions): void {
  if (options.token === undefined && !isLoopback(options.host)) {
    app.get('/', async () => {
      throw new ImgtoolError('E_NOT_FOUND', OFF);
    });
    return;
  }
  const files = builtFiles();
  const index = document(options, files);
  app.get('/', async (request, reply) =>
    sent(request, reply.header('cache-control', 'no-cache').headers(GUARDED), index),
  );
  app.get<{ Params: { file: string } }>('/page/:file', async (request, reply) => {
    const file = files.get(request.params.file);
    if (file === undefined) throw new ImgtoolError('E_NOT_FOUND', 'the page has no such file');
    return sent(request, reply.header('cache-control', 'public, max-age=31536000, immutable'), file);
  });
}

const OFF =
  'the page is off, since anyone who reaches this address could use it: start imgtool serve with --token, or listen on loopback';

/** Nothing from elsewhere, nothing inline, no way for text to become script, and no frame of another site around it. */
const GUARDED = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};

/** The built files by the names they are asked for: their hash is part of it, so that a name means the same bytes for ever. */
function builtFiles(): ReadonlyMap<string, StaticFile> {
  return new Map(
    readdirSync(FOLDER)
      .filter((name) => name !== INDEX)
      .map((name) => {
        const bytes = readFileSync(`${FOLDER}/${name}`);
        const kind = extname(name);
        const hash = digest(bytes).slice(0, 12);
        return [`${name.slice(0, -kind.length)}-${hash}${kind}`, fileOf(kind, bytes)];
      }),
  );
}

/** Beside this code, in the library and in the command line's bundle alike. */
const FOLDER = fileURLToPath(new URL('./page', import.meta.url));

const INDEX = 'index.html';

/** The page itself, with the names of its files and what it must know before it can ask. */
function document({ version, token, jobs }: PageOptions, files: ReadonlyMap<string, StaticFile>): StaticFile {
  const html = readFileSync(`${FOLDER}/${INDEX}`, 'utf8');
  const told: Readonly<Record<string, string>> = {
    version,
    token: token === undefined ? 'none' : 'wanted',
    jobs: jobs ? 'on' : 'off',
    ...Object.fromEntries([...files.keys()].map((name) => [extname(name).slice(1), `page/${name}`])),
  };
  const filled = html.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => escaped(told[key] ?? ''));
  return fileOf('.html', Buffer.from(filled));
}

function sent(request: FastifyRequest, reply: FastifyReply, { type, etag, bytes }: StaticFile): FastifyReply {
  reply.header('etag', etag);
  return clientHas(request, etag) ? reply.code(304).send() : reply.type(type).send(bytes);
}

function fileOf(kind: string, bytes: Buffer): StaticFile {
  return { type: TYPES[kind] ?? 'application/octet-stream', etag: `"${digest(bytes)}"`, bytes };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 27);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
