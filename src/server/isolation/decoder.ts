import { type ChildProcess, fork } from 'node:child_process';
import { ImgtoolError } from '../../errors.js';
import type { Reply, Work } from './messages.js';

/** How decoder processes are started. */
export interface DecoderOptions {
  /** Read SVG too. */
  readonly svg: boolean;
  /** The environment of the processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what a process wrote to its standard error, line by line, and how it ended when nobody ended it. */
  log?(event: { readonly pid: number | undefined; readonly message: string }): void;
}

/** A process that decodes one picture at a time. */
export interface Decoder {
  readonly pid: number | undefined;
  /**
   * Does one piece of work. An aborted signal kills the process, the only way to stop a running decode, and rejects
   * with the signal's reason; a process that dies by itself rejects with E_WORKER.
   */
  run(work: Work, signal: AbortSignal): Promise<Reply>;
  kill(): void;
}

/** Starts a decoder process; `onReady` is called once it takes work, `onEnd` once it has ended. */
export function startDecoder(
  options: DecoderOptions,
  listener: { onReady(decoder: Decoder): void; onEnd(decoder: Decoder): void },
): Decoder {
  const child = forked(options);
  let task: { settle(reply: Reply): void; fail(error: unknown): void } | undefined;
  let killed = false;
  const decoder: Decoder = {
    pid: child.pid,
    run: (work, signal) =>
      new Promise<Reply>((resolve, reject) => {
        const abort = (): void => {
          decoder.kill();
          task?.fail(signal.reason);
        };
        const done = (): void => {
          task = undefined;
          signal.removeEventListener('abort', abort);
        };
        task = {
          settle: (reply) => (done(), resolve(reply)),
          fail: (error) => (done(), reject(error)),
        };
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        else child.send(work, (error) => error && task?.fail(died(error.message)));
      }),
    kill() {
      killed = true;
      child.kill('SIGKILL');
    },
  };
  child.on('message', (reply: Reply) => {
    if (reply.kind === 'ready') listener.onReady(decoder);
    else task?.settle(reply);
  });
  child.once('exit', (code, signal) => {
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    if (!killed) options.log?.({ pid: child.pid, message: `decoder process ${how}` });
    task?.fail(died(how));
    listener.onEnd(decoder);
  });
  child.on('error', (error) => task?.fail(died(error.message)));
  return decoder;
}

function forked({ svg, env, log }: DecoderOptions): ChildProcess {
  const child = fork(new URL('./decode-worker.js', import.meta.url), svg ? ['--svg'] : [], {
    serialization: 'advanced',
    // the parent's own flags (loaders, inspectors) are not for this process
    execArgv: [],
    env: { ...env, UV_THREADPOOL_SIZE: '4', MALLOC_ARENA_MAX: '2' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const message of text.split('\n').filter(Boolean)) log?.({ pid: child.pid, message });
  });
  return child;
}

function died(how: string): ImgtoolError {
  return new ImgtoolError('E_WORKER', `the process that decoded this picture ${how}`, { stage: 'decode' });
}
