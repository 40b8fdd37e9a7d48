import { removeTemporaries } from '../../src/io/temporary.js';
import { breakOffDocument } from './document.js';
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

/** Listens for Ctrl-C and SIGTERM: the first one drains, the second leaves at once. However a run leaves, no temporary file stays. */
export function onInterrupt(): Interruption {
  const drain = new AbortController();
  let code: number | undefined;
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => {
      if (code !== undefined) leave(name);
      code = CODES[name];
      drain.abort();
      say('finishing what runs; once more leaves at once');
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  // a reader that closes its pipe ends the process too
  process.on('exit', removeTemporaries);
  listeners.push(() => process.off('exit', removeTemporaries));
  return { drain: drain.signal, exitCode: () => code, release: () => listeners.forEach((off) => void off()) };
}

/** Dies of the signal, which a shell tells as 130 or 143: an exit would wait for what the encoders are at. */
function leave(name: keyof typeof CODES): void {
  breakOffDocument();
  removeTemporaries();
  process.removeAllListeners(name);
  if (process.platform === 'win32') process.exit(CODES[name]);
  process.kill(process.pid, name);
}
