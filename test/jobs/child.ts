import { readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ImgtoolError } from '../../src/errors.js';
import { openEmbedded } from '../../src/jobs/embedded.js';
import type { Handler } from '../../src/jobs/queue.js';
import { EMPTY, jobOf } from './hands.js';

/** A process of its own for the tests, told what to do by its arguments; it says what happens line by line. */
const [task = '', folder = '', count = '0', after = 'end'] = process.argv.slice(2);
const say = (...words: readonly (string | number)[]) => writeSync(1, `${words.join(' ')}\n`);
const tasks: Readonly<Record<string, () => Promise<void>>> = { work, hold, stick, fill };
await tasks[task]?.();

/** Submits so many jobs and works until all are over; then ends, or stays to be killed. */
async function work(): Promise<void> {
  const queue = await openEmbedded({ folder, random: () => 0.01 });
  const handle: Handler = async (job, { progress }) => {
    say('started', job.id);
    const { blob, bytes } = await queue.blobs.put(Buffer.from(`${job.id} ${process.pid}`));
    progress(0.5);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    if (job.attempt === 1 && job.id.endsWith('7')) {
      await queue.blobs.discard(blob);
      throw new ImgtoolError('E_TIMEOUT', 'expected an answer');
    }
    return {
      outputs: [{ at: { kind: 'blob', blob }, name: 'r', type: 'text/plain', bytes, width: 1, height: 1 }],
    };
  };
  queue.subscribe(({ job }) => job.state === 'succeeded' && say('done', job.id));
  void queue.work(handle, 4);
  const submit = async () => {
    const { blob } = await queue.blobs.put(Buffer.from('input'));
    say('accepted', await queue.submit(jobOf({ source: { kind: 'blob', blob }, target: { kind: 'blob' } })));
  };
  for (let n = 0; n < Number(count); n += 2) await Promise.all([submit(), submit()]);
  for (let open = 1; open > 0; await new Promise(setImmediate)) {
    const { queued, running } = (await queue.counts()).depth;
    open = queued.normal + running.normal;
  }
  if (after === 'stay') setInterval(() => undefined, 1000);
  else await queue.close();
}

/** Opens the queue and keeps it. */
async function hold(): Promise<void> {
  await openEmbedded({ folder });
  say('open');
  setInterval(() => undefined, 1000);
}

/** Starts so many jobs and never finishes them. */
async function stick(): Promise<void> {
  const queue = await openEmbedded({ folder });
  void queue.work(async ({ id }) => {
    say('started', id);
    return new Promise(() => setInterval(() => undefined, 1000));
  }, Number(count));
  for (let n = 0; n < Number(count); n++) await queue.submit(jobOf());
}

/** Fills a small disk with jobs; once it refuses one, makes a little room and works. */
async function fill(): Promise<void> {
  const queue = await openEmbedded({ folder, limits: { reserve: 0 } });
  const put = async () => (await queue.blobs.put(Buffer.from('input'))).blob;
  const submit = (blob: string) => queue.submit(jobOf({ labels, source: { kind: 'blob', blob } }));
  const [kept, spare] = [await put(), await put()];
  const labels = { name: 'x'.repeat(20_000) };
  const ids = [await submit(kept)];
  for (let refusal = ''; refusal === ''; ) {
    try {
      ids.push(await queue.submit(jobOf({ labels })));
    } catch (thrown) {
      refusal = thrown instanceof ImgtoolError ? thrown.code : String(thrown);
      say('refused', refusal);
    }
  }
  const queued = await Promise.all(ids.map((id) => queue.get(id)));
  // the one is a job's and stays, the other was refused with its job
  await submit(spare).catch(() => queue.blobs.discard(kept));
  const inputs = readdirSync(join(folder, 'blobs')).length;
  say('kept', queued.filter((job) => job?.state === 'queued').length, 'of', ids.length, 'inputs', inputs);
  void queue.work(async () => EMPTY, 2);
  rmSync(join(folder, '..', 'filler'));
  while ((await queue.counts()).depth.succeeded.normal < ids.length) await new Promise(setImmediate);
  say('finished', ids.length, 'faults', (await queue.check()).length);
  await queue.close();
}
