import { type ChildProcess, fork } from 'node:child_process';
import { ImgtoolError } from '../../errors.js';
import type { Reply, Sent, Work } from './messages.js';

/** How decoder processes are started. */
export interface DecoderOptions {
  /** Read SVG too. */
  readonly svg: boolean;
  /** The environment of the processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what a process wrote to its standard error, and how it ended when nobody ended it. */
  log?(event: { readonly pid: number | undefined; readonly message: string }): void;
}

/** A process that decodes one picture at a time. */
export interface Decoder {
  readonly pid: number | undefined;
  /** Whether it takes no more work: it was killed or died. */
  readonly ended: () => boolean;
  /**
   * Does one piece of work. An aborted signal kills the process, the only way to stop a running decode, and rejects
   * with the signal's reason; a process that dies by itself rejects with E_WORKER.
   */
  run(work: Work, signal: AbortSignal): Promise<Reply>;
  kill(): void;
}

/** What a decoder tells of its life. */
export interface DecoderListener {
  onReady(decoder: Decoder): void;
  onEnd(decoder: Decoder): void;
}

/** Starts a decoder process. */
export function startDecoder(options: DecoderOptions, listener: DecoderListener): Decoder {
  const child = forked(options);
  let task: Task | undefined;
  let ended = false;
  const finish = (end: (task: Task) => void): void => {
    const last = task;
    task = undefined;
    if (last !== undefined) end(last);
  };
  const decoder: Decoder = {
    pid: child.pid,
    ended: () => ended,
    async run(work, signal) {
      const abort = (): void => {
        decoder.kill();
        finish((it) => it.reject(signal.reason));
      };
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await new Promise<Reply>((resolve, reject) => {
          task = { resolve, reject };
          if (signal.aborted) abort();
          else child.send(work, (error) => error && finish((it) => it.reject(died(error.message))));
        });
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    kill() {
      ended = true;
      child.kill('SIGKILL');
    },
  };
  child.on('message', ({ spent, ...reply }: Sent) => {
    // what a large picture leaves behind goes with its process: the spare is warm
    if (spent === true) decoder.kill();
    if (reply.kind === 'ready') listener.onReady(decoder);
    else finish((it) => it.resolve(reply));
  });
  child.once('exit', (code, signal) => {
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    if (!ended) options.log?.({ pid: child.pid, message: `decoder process ${how}` });
    ended = true;
    finish((it) => it.reject(died(how)));
    listener.onEnd(decoder);
  });
  child.on('error', (error) => finish((it) => it.reject(died(error.message))));
  return decoder;
}

interface Task {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
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
