import { removeTemporaries } from '../../src/io/temporary.js';
import { say } from './streams.js';

/** What a signal asked for. */
export interface Interruption {
  /** Aborted by the first signal: take no more work, finish what runs. */
  readonly drain: AbortSignal;
  /** 130 after Ctrl-C, 143 after SIGTERM, undefined when nothing interrupted. */
  exitCode(): number | undefined;
  release(): void;
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Listens for Ctrl-C and SIGTERM: the first one drains, the second leaves at once, cleaning temporary files. */
export function onInterrupt(): Interruption {
  const drain = new AbortController();
  let code: number | undefined;
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => {
      if (code !== undefined) leave(CODES[name]);
      code = CODES[name];
      drain.abort();
      say('finishing what runs; once more leaves at once');
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return { drain: drain.signal, exitCode: () => code, release: () => listeners.forEach((off) => void off()) };
}

function leave(code: number): never {
  removeTemporaries();
  process.exit(code);
}
