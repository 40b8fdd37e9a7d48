import { spawn } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { measured, median } from '../measure.mjs';
import { IMGTOOL } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { freshFolder, inFreshFolder } from '../scratch.mjs';

/** Milliseconds that a file must stand still before it is taken: the default. */
const WINDOW = 200;
const ARRIVALS = 200;
const FLOOD = 50_000;

/**
 * How long a picture takes from the close of its file to its result on the disk, what a burst costs beside a plain batch,
 * and how much memory a flood takes. `files` is the size of the burst.
 */
export async function run({ rounds = 3, files = 2000 }) {
  const pictures = await made('watch', files, { width: 1280, height: 960 });
  const tiny = await made('few', 100, { width: 160, height: 120 });
  const latencies = await inFresh((home) => latency(home, pictures));
  const bursts = { batch: [], watch: [] };
  for (let round = 0; round < rounds; round += 1) {
    bursts.batch.push(
      inFreshFolder((out) => measured([...IMGTOOL, 'thumbnail', pictures, '--out', out])).wall,
    );
    bursts.watch.push(await inFresh((home) => burst(home, pictures, files)));
  }
  const few = await inFresh((home) => flood(home, tiny, 500));
  const many = await inFresh((home) => flood(home, tiny, FLOOD));
  const [batch, watched] = [median(bursts.batch), median(bursts.watch)];
  const sorted = [...latencies].sort((a, b) => a - b);
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1];
  return {
    rows: [
      { figure: `close of file to result on disk, median of ${ARRIVALS}, ms`, value: median(sorted) },
      { figure: 'the same, p99, ms', value: p99 },
      { figure: `the same over the window of ${WINDOW} ms, median, ms`, value: median(sorted) - WINDOW },
      { figure: `the same over the window of ${WINDOW} ms, p99, ms`, value: p99 - WINDOW },
      { figure: `plain batch of ${files}, s`, value: batch },
      { figure: `burst of ${files} into a running watch, s`, value: watched },
      { figure: 'peak memory after 500 arrivals, MB', value: few },
      { figure: `peak memory after ${FLOOD} arrivals at once, MB`, value: many },
    ],
    bars: [
      { text: 'burst / plain batch', value: watched / batch, most: 1.15 },
      { text: 'memory of a flood / of a few', value: many / few, most: 1.5 },
    ],
    raw: { latencies, bursts },
  };
}

/** One picture after the other, each written anew and timed until its result is renamed into place. */
async function latency(home, pictures) {
  const watching = await started(home);
  const [name] = readdirSync(pictures);
  const bytes = readFileSync(join(pictures, name));
  mkdirSync(join(home, 'out'), { recursive: true });
  const taken = [];
  const seen = new Map();
  const listening = watch(join(home, 'out'), (_event, file) => seen.get(file)?.(performance.now()));
  for (let index = -5; index < ARRIVALS; index += 1) {
    const file = `${index + 5}.jpg`;
    const made = new Promise((resolve) => seen.set(file, resolve));
    const descriptor = openSync(join(home, 'inbox', file), 'w');
    writeSync(descriptor, bytes);
    closeSync(descriptor);
    const closed = performance.now();
    const ms = (await made) - closed;
    // the first few warm up
    if (index >= 0) taken.push(ms);
  }
  listening.close();
  await watching.stop();
  return taken;
}

/** Seconds from the start of a copy of so many files into the folder until the last result is there. */
async function burst(home, pictures, files) {
  const watching = await started(home);
  const from = performance.now();
  spawn('cp', ['-r', `${pictures}/.`, join(home, 'inbox')]);
  await watching.done(files);
  const seconds = (performance.now() - from) / 1000;
  await watching.stop();
  return seconds;
}

/** Peak memory in MB of a watch that was given so many small pictures at once. */
async function flood(home, pictures, files) {
  const names = readdirSync(pictures);
  mkdirSync(join(home, 'away'));
  for (let first = 0; first < files; first += names.length)
    cpSync(pictures, join(home, 'away', String(first)), { recursive: true });
  const watching = await started(home);
  spawn('cp', ['-r', `${join(home, 'away')}/.`, join(home, 'inbox')]);
  await watching.done(files);
  const peak = watching.peak();
  await watching.stop();
  return peak;
}

/** A running watch over `inbox` in a folder, with nothing in it yet. */
async function started(home) {
  mkdirSync(join(home, 'inbox'), { recursive: true });
  const [program, ...args] = IMGTOOL;
  const env = { ...process.env };
  delete env.NODE_EXTRA_CA_CERTS;
  const child = spawn(program, [...args, 'watch', 'inbox', '--out', 'out', '--ndjson'], {
    cwd: home,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const counts = { done: 0 };
  const heard = new Set();
  createInterface(child.stdout).on('line', (line) => {
    if (line.includes('"status":"done"')) counts.done += 1;
    for (const listener of heard) listener(line);
  });
  const until = (holds) =>
    new Promise((resolve) => {
      const listener = (line) => {
        if (!holds(line)) return;
        heard.delete(listener);
        resolve();
      };
      heard.add(listener);
    });
  await until((line) => line.includes('"caught-up"'));
  return {
    done: (count) => until(() => counts.done >= count),
    peak: () => peakOf(child.pid),
    stop: () =>
      new Promise((resolve) => {
        child.once('close', resolve);
        child.kill('SIGTERM');
      }),
  };
}

/** VmHWM where the system tells it (Linux). */
function peakOf(pid) {
  const status = `/proc/${pid}/status`;
  if (statSync(status, { throwIfNoEntry: false }) === undefined) return Number.NaN;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}

async function inFresh(work) {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
