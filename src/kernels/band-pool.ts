import { Worker } from 'node:worker_threads';
import { ImgtoolError } from '../errors.js';
import type { BandJob } from './kernels.js';

/**
 * Runs a band in one of at most `threads` threads, started when first needed and shared by all callers. Resolves when
 * the band is done, or cut short because its `stop` was set; rejects with `E_INTERNAL` when the thread dies.
 */
export function runBand(job: BandJob, threads: number): Promise<void> {
  limit = Math.max(limit, threads);
  return new Promise((resolve, reject) => {
    waiting.push({ job, resolve, reject });
    dispatch();
  });
}

/** Resolves the bands that no thread has begun and whose `stop` is set, without waiting for a thread. */
export function dropStopped(): void {
  for (const task of waiting.splice(0)) {
    if (Atomics.load(task.job.stop, 0) === 0) waiting.push(task);
    else task.resolve();
  }
}

/** Ends all threads; what they were at rejects with `E_CANCELLED`. A later band starts new ones. */
export async function closeBands(): Promise<void> {
  const closed = new ImgtoolError('E_CANCELLED', 'the threads were closed', { stage: 'process' });
  for (const task of [...waiting.splice(0), ...busy.values()]) task.reject(closed);
  const threads = [...idle.splice(0), ...busy.keys()];
  busy.clear();
  await Promise.all(threads.map((thread) => thread.terminate()));
}

interface Task {
  readonly job: BandJob;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const idle: Worker[] = [];
const busy = new Map<Worker, Task>();
const waiting: Task[] = [];
let limit = 0;

function dispatch(): void {
  while (waiting.length > 0 && (idle.length > 0 || busy.size < limit)) {
    const task = waiting.shift();
    if (task) assign(idle.pop() ?? start(), task);
  }
}

// An idle thread must not keep the process alive, a busy one must: its caller waits for it.
function assign(thread: Worker, task: Task): void {
  busy.set(thread, task);
  thread.ref();
  thread.postMessage(task.job);
}

function start(): Worker {
  // The parent's own flags (loaders, test runners) are not for this thread, which is built JavaScript.
  const thread = new Worker(new URL('./band-worker.js', import.meta.url), { execArgv: [] });
  thread.on('message', () => finished(thread));
  thread.on('error', (error) => lost(thread, error));
  thread.on('exit', (code) => lost(thread, new Error(`thread ended with code ${code}`)));
  return thread;
}

function finished(thread: Worker): void {
  const task = busy.get(thread);
  if (!task) return;
  busy.delete(thread);
  idle.push(thread);
  thread.unref();
  task.resolve();
  dispatch();
}

/** Forgets a thread that died; the second call, for the exit after an error, finds nothing. */
function lost(thread: Worker, cause: Error): void {
  const at = idle.indexOf(thread);
  if (at >= 0) idle.splice(at, 1);
  const task = busy.get(thread);
  busy.delete(thread);
  task?.reject(
    new ImgtoolError('E_INTERNAL', `a band's thread died: ${cause.message}`, { stage: 'process', cause }),
  );
  dispatch();
}
