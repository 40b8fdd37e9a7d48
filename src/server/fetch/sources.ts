import { ImgtoolError } from '../../errors.js';
import type { ServerLimits } from '../limits.js';
import type { Spool, SpooledInput, Upload } from '../spool.js';
import type { AddressRules } from './guard.js';
import { urlPattern } from './patterns.js';
import { remote } from './remote.js';
import { inputInRoots, type Root } from './roots.js';

/** Where a server may take pictures from that it was not sent. */
export interface SourceRules extends AddressRules {
  /** Patterns of URLs, see `urlPattern`; none means no URL at all. */
  readonly urls: readonly string[];
  readonly roots: readonly Root[];
}

/** Pictures that a request only names. */
export interface Sources {
  /** Throws E_PERMISSION when sources of this kind, paths or URLs, are off; says nothing of the one source. */
  checkKind(source: string): void;
  /** The picture at a URL or at a path inside a root. To be released in the end. Throws E_PERMISSION when such are off. */
  open(source: string, signal: AbortSignal): Promise<Upload>;
  /** Throws for a URL that `open` would refuse without asking anyone: E_PERMISSION, or E_USAGE. */
  checkUrl(url: string): void;
  close(): Promise<void>;
}

/** Sources by these rules; what is fetched goes into the spool. Throws E_USAGE for a pattern that is none. */
export function sources(rules: SourceRules, limits: ServerLimits, spool: Spool): Sources {
  const { roots } = rules;
  const fetcher = remote({ ...rules, allow: rules.urls.map(urlPattern) }, limits);
  const checkKind = (source: string): void => {
    if (isUrl(source) && rules.urls.length === 0) throw off('URLs', '--allow-url');
    if (!isUrl(source) && roots.length === 0) throw off('paths', '--root');
  };
  return {
    checkKind,
    async open(source, signal) {
      checkKind(source);
      if (isUrl(source)) return fetcher.fetch(source, spool, signal);
      return releasable(await inputInRoots(source, roots, limits.bytes));
    },
    checkUrl(url) {
      if (rules.urls.length === 0) throw off('URLs', '--allow-url');
      fetcher.check(url);
    },
    close: () => fetcher.close(),
  };
}

/** Whether a source is meant as a URL; all else is a path. */
export function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

function releasable(input: SpooledInput): Upload {
  return { ...input, release: input.hold() };
}

function off(what: string, flag: string): ImgtoolError {
  return new ImgtoolError(
    'E_PERMISSION',
    `${what} as sources are off on this server; ${flag} turns them on`,
    {
      stage: 'read',
      field: 'src',
    },
  );
}
