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
  /** The picture at a URL or at a path inside a root. To be released in the end. Throws E_PERMISSION when such are off. */
  open(source: string, signal: AbortSignal): Promise<Upload>;
  close(): Promise<void>;
}

/** Sources by these rules; what is fetched goes into the spool. Throws E_USAGE for a pattern that is none. */
export function sources(rules: SourceRules, limits: ServerLimits, spool: Spool): Sources {
  const { roots } = rules;
  const fetcher = remote({ ...rules, allow: rules.urls.map(urlPattern) }, limits);
  return {
    async open(source, signal) {
      if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
        if (roots.length === 0) throw off('paths', '--root');
        return releasable(await inputInRoots(source, roots, limits.bytes));
      }
      if (rules.urls.length === 0) throw off('URLs', '--allow-url');
      return fetcher.fetch(source, spool, signal);
    },
    close: () => fetcher.close(),
  };
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
