import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { openEmbedded } from '../../dist/jobs/embedded.js';
import { closedLoop, quantile } from '../load.mjs';
import { median } from '../measure.mjs';
import { peer, peerModule } from '../peers.mjs';
import { made } from '../pictures.mjs';
import { freshFolder } from '../scratch.mjs';
import { freePort, imgtoolServe } from '../servers.mjs';

const SUBMITTERS = 256;
const HANDS = 64;
const WATCHERS = 1000;
const STORED = 100_000;
const EMPTY = {
  kind: 'process',
  recipe: {},
  source: { kind: 'url', url: 'http://localhost/' },
  target: { kind: 'blob' },
};

/**
 * What the queue bears: jobs a second with nothing to do in them beside BullMQ on Redis, what it costs beside doing thumbnails
 * at once, a thousand watchers, and a start with many jobs on record. `files` is the number of thumbnails.
 */
export async function run({ rounds = 3, files = 300 }) {
  const rates = { imgtool: [], 'BullMQ, fsync always': [], 'BullMQ, fsync every second': [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.imgtool.push(await ownRate(20_000));
    for (const fsync of ['always', 'everysec']) {
      const rate = await peerRate(5000, fsync);
      if (rate !== undefined)
        rates[fsync === 'always' ? 'BullMQ, fsync always' : 'BullMQ, fsync every second'].push(rate);
    }
  }
  const small = await thumbnails({ width: 1600, height: 1200 }, files, rounds);
  const large = await thumbnails({ width: 4000, height: 3000 }, Math.ceil(files / 5), rounds);
  const watching = await watched();
  const started = await startWithMany();
  const own = median(rates.imgtool);
  return {
    rows: [
      ...Object.entries(rates)
        .filter(([, all]) => all.length > 0)
        .map(([side, all]) => ({ figure: `${side}: empty jobs a second`, value: median(all) })),
      ...[small, large].flatMap(({ what, atOnce, queued }) => [
        { figure: `${what} at once (POST /v1/process), s`, value: atOnce },
        { figure: 'the same as jobs, s', value: queued },
      ]),
      { figure: `an event to ${WATCHERS} watchers, median of all, ms`, value: watching.p50 },
      { figure: 'the same, p99, ms', value: watching.p99 },
      { figure: `a poll by ETag among ${WATCHERS} watchers, polls a second`, value: watching.polls },
      { figure: `start with ${STORED} jobs on record, s`, value: started },
    ],
    bars: [
      { text: 'durable empty jobs a second', value: own, least: 3000 },
      {
        text: 'thumbnails of 12 megapixels as jobs / at once',
        value: large.queued / large.atOnce,
        most: 1.05,
      },
    ],
    raw: { rates, watching },
  };
}

/** Jobs accepted and finished a second, each accepted durably before the next of its submitter. */
async function ownRate(count) {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  const queue = await openEmbedded({ folder });
  let left = count;
  const { promise, resolve } = withResolvers();
  void queue.work(async () => {
    left -= 1;
    if (left === 0) resolve();
    return { outputs: [] };
  }, HANDS);
  const began = performance.now();
  const items = Array.from({ length: count }, () => EMPTY);
  await closedLoop(items, SUBMITTERS, async (job) => {
    await queue.submit(job);
    return 'answered';
  });
  await promise;
  const rate = count / ((performance.now() - began) / 1000);
  await queue.close();
  return rate;
}

function withResolvers() {
  let resolve;
  const promise = new Promise((yes) => {
    resolve = yes;
  });
  return { promise, resolve };
}

/** The same with BullMQ, whose durability is that of its Redis; undefined when one of both is not installed. */
async function peerRate(count, fsync) {
  const bullmq = await peerModule('bullmq');
  const program = peer('redis-server');
  if (bullmq === undefined || program === undefined) return undefined;
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const flags = [
    '--port',
    String(port),
    '--dir',
    folder,
    '--appendonly',
    'yes',
    '--appendfsync',
    fsync,
    '--save',
    '',
  ];
  const redis = spawn(program, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const text of redis.stdout) if (String(text).includes('Ready to accept')) break;
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const queue = new bullmq.Queue('bench', { connection });
  let left = count;
  const done = withResolvers();
  const worker = new bullmq.Worker(
    'bench',
    async () => {
      left -= 1;
      if (left === 0) done.resolve();
    },
    { connection, concurrency: HANDS },
  );
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const began = performance.now();
  await closedLoop(Array.from({ length: count }), SUBMITTERS, async () => {
    await queue.add('empty', EMPTY);
    return 'answered';
  });
  await done.promise;
  const rate = count / ((performance.now() - began) / 1000);
  await worker.close();
  await queue.close();
  redis.kill('SIGTERM');
  await once(redis, 'close');
  return rate;
}

/** Seconds for so many thumbnails, asked for at once and as jobs, in turn. */
async function thumbnails(size, count, rounds) {
  const folder = await made('serve', count, size);
  const pictures = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  const server = await imgtoolServe();
  const times = { atOnce: [], queued: [] };
  const post = async (body, headers = {}) => {
    const response = await fetch(`${server.url}/v1/process?thumb=100`, { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.ok ? 'answered' : 'failed';
  };
  for (let round = -1; round < rounds; round += 1) {
    const atOnce = await timed(() => closedLoop(pictures, 8, (body) => post(body)));
    const before = await finished(server);
    const queued = await timed(async () => {
      await closedLoop(pictures, 8, (body) => post(body, { prefer: 'respond-async' }));
      while ((await finished(server)) < before + count)
        await new Promise((resolve) => setTimeout(resolve, 5));
    });
    if (round < 0) continue;
    times.atOnce.push(atOnce);
    times.queued.push(queued);
  }
  await server.stop();
  const what = `${count} thumbnails of ${(size.width * size.height) / 1e6} megapixels`;
  return { what, atOnce: median(times.atOnce), queued: median(times.queued) };
}

async function timed(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

async function finished({ url }) {
  return (await (await fetch(`${url}/v1/jobs/stats`)).json()).finished;
}

/** How long after the first of a thousand watchers of all jobs each other hears of an end, and what polling bears beside. */
async function watched() {
  const server = await imgtoolServe(['--connections', '2000']);
  const folder = await made('serve', 1, { width: 1600, height: 1200 });
  const body = readFileSync(join(folder, readdirSync(folder)[0]));
  let heard = [];
  const watchers = await Promise.all(
    Array.from({ length: WATCHERS }, () => watcher(server.port, () => heard.push(performance.now()))),
  );
  const delays = [];
  let location = '';
  for (let job = 0; job < 10; job += 1) {
    heard = [];
    const began = performance.now();
    const response = await fetch(`${server.url}/v1/process?thumb=${100 + job}`, {
      method: 'POST',
      body,
      headers: { prefer: 'respond-async' },
    });
    location = new URL(response.headers.get('location') ?? '', server.url).href;
    await response.arrayBuffer();
    while (heard.length < WATCHERS) await new Promise((resolve) => setTimeout(resolve, 1));
    delays.push(...heard.map((at) => at - began));
  }
  const { headers } = await fetch(location);
  const etag = headers.get('etag') ?? '';
  const polls = await closedLoop(Array.from({ length: 2000 }), 16, async () => {
    const response = await fetch(location, { headers: { 'if-none-match': etag } });
    await response.arrayBuffer();
    return response.status === 304 ? 'answered' : 'failed';
  });
  if (polls.failed > 0) throw new Error(`expected 304 to every poll, ${polls.failed} were not`);
  for (const each of watchers) each.destroy();
  await server.stop();
  const sorted = delays.sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), polls: polls.rate };
}

/** A connection that listens to all jobs and tells of each end. */
function watcher(port, tell) {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path: '/v1/jobs/events', agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (text) => {
        if (text.includes('event: done')) tell();
      });
      resolve(asked);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Seconds to open a queue that has a hundred thousand jobs waiting. */
async function startWithMany() {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  const first = await openEmbedded({ folder });
  await closedLoop(Array.from({ length: STORED }), 1000, async () => {
    await first.submit(EMPTY);
    return 'answered';
  });
  await first.close();
  const began = performance.now();
  const again = await openEmbedded({ folder });
  const seconds = (performance.now() - began) / 1000;
  await again.close();
  return seconds;
}
