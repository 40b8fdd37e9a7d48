import { pbkdf2 } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImgtoolError } from '../../src/errors.js';
import type { BlobStore } from '../../src/jobs/blobs.js';
import type { Job, JobResult, JobState } from '../../src/jobs/job.js';
import type { QueueLimits } from '../../src/jobs/limits.js';
import type { FullJobQueue, JobEvent } from '../../src/jobs/queue.js';
import { whenFinished } from '../../src/jobs/wait.js';
import { EMPTY, Hands, jobOf } from '../jobs/hands.js';

/** A backend under test. */
export interface Rig {
  readonly queue: FullJobQueue;
  readonly blobs: BlobStore;
  /** Lets time go by, as the queue sees it. */
  pass(ms: number): Promise<void>;
  /** The same data in another queue, once this one is closed. */
  reopen(): Promise<Rig>;
}

/** How a test wants its backend. */
export interface RigOptions {
  readonly limits?: Partial<QueueLimits>;
  /** Milliseconds that closing gives running jobs; default none. */
  readonly grace?: number;
}

const SECOND = 1000;
const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057';
const passing = () => new ImgtoolError('E_TIMEOUT', 'expected an answer in time, received none');
const lasting = () => new ImgtoolError('E_DECODE', 'expected a whole picture, received half of one');
/** Work for all the threads that Node has for files: what comes to them next has to wait. */
const occupied = () =>
  Promise.all(Array.from({ length: 8 }, () => promisify(pbkdf2)('a', 'b', 100_000, 64, 'sha512')));
const code = (name: string) => expect.objectContaining({ code: name });

/** What every backend of the queue must do; `open` gives a fresh one, which the suite closes. */
export function jobQueueContract(name: string, open: (options: RigOptions) => Promise<Rig>): void {
  async function rig(options: RigOptions = {}): Promise<Rig & { hands: Hands }> {
    const opened = await open(options);
    onTestFinished(() => opened.queue.close());
    return { ...opened, hands: new Hands() };
  }

  async function submitAll(queue: FullJobQueue, jobs: readonly Job[]): Promise<string[]> {
    const ids: string[] = [];
    for (const job of jobs) ids.push(await queue.submit(job));
    return ids;
  }

  describe(`${name}: a job`, () => {
    test('waits, runs and ends with its result', async () => {
      const { queue, hands } = await rig();
      const id = await queue.submit(jobOf({ labels: { name: 'a.jpg' } }));
      expect(await queue.get(id)).toMatchObject({
        id,
        state: 'queued',
        priority: 'normal',
        progress: 0,
        attempts: 0,
      });
      void queue.work(hands.handle, 1);
      const held = await hands.next();
      expect(held.job).toMatchObject({
        id,
        attempt: 1,
        work: { kind: 'process', labels: { name: 'a.jpg' } },
      });
      expect(await queue.get(id)).toMatchObject({ state: 'running', attempts: 1 });
      const result: JobResult = {
        outputs: [
          {
            at: { kind: 'path', path: 'out.jpg' },
            name: 'out.jpg',
            type: 'image/jpeg',
            bytes: 9,
            width: 3,
            height: 2,
          },
        ],
        value: { Width: 3 },
      };
      held.done(result);
      const end = await whenFinished(queue, id);
      expect(end).toMatchObject({ id, state: 'succeeded', progress: 1, ...result });
      expect(end.expiresAt).toBe((end.finishedAt ?? 0) + 86_400_000);
      expect(end.work).toEqual({ ...jobOf(), labels: { name: 'a.jpg' } });
    });

    test('that nobody submitted is unknown', async () => {
      const { queue } = await rig();
      expect(await queue.get(UNKNOWN)).toBeUndefined();
      expect(await queue.get('delayed')).toBeUndefined();
      expect(await queue.cancel(UNKNOWN)).toBe(false);
      expect(await queue.retry(UNKNOWN)).toBe(false);
      await expect(whenFinished(queue, UNKNOWN)).rejects.toEqual(code('E_NOT_FOUND'));
    });

    test('has an id that is no other and tells nothing of the next', async () => {
      const { queue } = await rig();
      const ids = await Promise.all(Array.from({ length: 50 }, () => queue.submit(jobOf())));
      expect(new Set(ids).size).toBe(50);
      for (const id of ids)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(new Set(ids.map((id) => id.slice(24))).size).toBe(50);
    });

    test.each([
      ['priority', { priority: 'soon' as never }],
      ['attempts', { attempts: 0 }],
      ['attempts', { attempts: 1.5 }],
      ['delay', { delay: -1 }],
      ['ttl', { ttl: 0 }],
      ['key', { key: '' }],
      ['recipe', { labels: { name: 'x'.repeat(1 << 20) } }],
    ])('with a %s out of bounds is refused', async (field, over) => {
      const { queue } = await rig();
      await expect(queue.submit(jobOf(over))).rejects.toMatchObject({ code: 'E_USAGE', field });
      expect((await queue.list()).jobs).toEqual([]);
    });

    test('with the key of one that is alive is that one, of the same tenant', async () => {
      const { queue, hands } = await rig();
      const [first, again, other] = await Promise.all([
        queue.submit(jobOf({ key: 'k' })),
        queue.submit(jobOf({ key: 'k' })),
        queue.submit(jobOf({ key: 'k', tenant: 'b' })),
      ]);
      expect(again).toBe(first);
      expect(other).not.toBe(first);
      void queue.work(hands.handle, 2);
      const held = await hands.next();
      expect(await queue.submit(jobOf({ key: 'k' }))).toBe(first);
      held.done();
      await whenFinished(queue, first ?? '');
      expect(await queue.submit(jobOf({ key: 'k' }))).not.toBe(first);
    });

    test('waits out its delay', async () => {
      const { queue, hands, pass } = await rig();
      void queue.work(hands.handle, 4);
      const late = await queue.submit(jobOf({ delay: 2 * SECOND, priority: 'urgent' }));
      const soon = await queue.submit(jobOf());
      expect((await hands.next()).job.id).toBe(soon);
      expect(await queue.get(late)).toMatchObject({ state: 'queued' });
      await pass(2 * SECOND);
      expect((await hands.next()).job.id).toBe(late);
    });
  });

  describe(`${name}: order`, () => {
    test('is by priority, then by arrival', async () => {
      const { queue, hands } = await rig();
      void queue.work(hands.handle, 1);
      await queue.submit(jobOf());
      const first = await hands.next();
      const wanted = await submitAll(
        queue,
        (['idle', 'batch', 'normal', 'urgent', 'normal', 'urgent'] as const).map((priority) =>
          jobOf({ priority }),
        ),
      );
      const order: string[] = [];
      first.done();
      for (let n = 0; n < wanted.length; n++) {
        const held = await hands.next();
        order.push(held.job.id);
        held.done();
      }
      expect(order.map((id) => wanted.indexOf(id))).toEqual([3, 5, 2, 4, 1, 0]);
    });

    test('starves nobody, and keeps single requests before an old batch', async () => {
      const { queue, hands, pass } = await rig();
      const batch = new Set(
        await submitAll(
          queue,
          Array.from({ length: 6 }, () => jobOf({ priority: 'idle' })),
        ),
      );
      await pass(60 * SECOND);
      await submitAll(
        queue,
        Array.from({ length: 40 }, () => jobOf({ priority: 'urgent' })),
      );
      void queue.work(hands.handle, 1);
      const idle: boolean[] = [];
      for (let n = 0; n < 20; n++) {
        const held = await hands.next();
        idle.push(batch.has(held.job.id));
        held.done();
      }
      const share = idle.filter(Boolean).length;
      expect(share).toBeGreaterThanOrEqual(3);
      expect(share).toBeLessThanOrEqual(6);
    });

    test('has no more running than asked for', async () => {
      const { queue, hands } = await rig();
      const ids = await submitAll(
        queue,
        Array.from({ length: 12 }, () => jobOf()),
      );
      void queue.work(hands.handle, 3);
      // all that may run at once are in hand before the first of them ends
      const together = [await hands.next(), await hands.next(), await hands.next()];
      for (const held of together) held.done();
      for (const _ of ids.slice(3)) (await hands.next()).done();
      await Promise.all(ids.map((id) => whenFinished(queue, id)));
      expect(hands.most).toBe(3);
    });
  });

  describe(`${name}: a failure`, () => {
    test('that may pass is tried again later, as often as allowed', async () => {
      const { queue, hands, pass } = await rig();
      void queue.work(hands.handle, 1);
      const id = await queue.submit(jobOf({ attempts: 3 }));
      for (const attempt of [1, 2, 3]) {
        const held = await hands.next();
        expect(held.job.attempt).toBe(attempt);
        held.fail(passing());
        if (attempt === 3) break;
        await pass(0);
        expect(await queue.get(id)).toMatchObject({ state: 'queued', error: { code: 'E_TIMEOUT' } });
        await pass(4 * SECOND);
      }
      expect(await whenFinished(queue, id)).toMatchObject({
        state: 'failed',
        attempts: 3,
        error: { code: 'E_TIMEOUT' },
      });
    });

    test('that passed leaves no trace of an error', async () => {
      const { queue, hands, pass } = await rig();
      void queue.work(hands.handle, 1);
      const id = await queue.submit(jobOf());
      (await hands.next()).fail(passing());
      await pass(2 * SECOND);
      (await hands.next()).done();
      const end = await whenFinished(queue, id);
      expect(end).toMatchObject({ state: 'succeeded', attempts: 2 });
      expect(end.error).toBeUndefined();
    });

    test('that cannot pass ends the job at once', async () => {
      const { queue, hands } = await rig();
      void queue.work(hands.handle, 2);
      const [picture, fault] = await submitAll(queue, [jobOf(), jobOf()]);
      (await hands.next()).fail(lasting());
      (await hands.next()).fail(new TypeError('x is not a function'));
      expect(await whenFinished(queue, picture ?? '')).toMatchObject({
        state: 'failed',
        attempts: 1,
        error: lasting().toJSON(),
      });
      expect(await whenFinished(queue, fault ?? '')).toMatchObject({
        state: 'failed',
        attempts: 1,
        error: { code: 'E_INTERNAL' },
      });
    });

    test('can be given another chance by hand, and nothing else can', async () => {
      const { queue, hands } = await rig();
      void queue.work(hands.handle, 1);
      const id = await queue.submit(jobOf());
      const first = await hands.next();
      expect(await queue.retry(id)).toBe(false);
      first.fail(lasting());
      await whenFinished(queue, id);
      expect(await queue.retry(id)).toBe(true);
      const second = await hands.next();
      expect(second.job).toMatchObject({ id, attempt: 1 });
      second.done();
      expect(await whenFinished(queue, id)).toMatchObject({ state: 'succeeded' });
      expect(await queue.retry(id)).toBe(false);
    });
  });

  describe(`${name}: cancelling`, () => {
    test('a waiting job ends it before it begins', async () => {
      const { queue, hands } = await rig();
      const [id, next] = await submitAll(queue, [jobOf(), jobOf()]);
      expect(await queue.cancel(id ?? '')).toBe(true);
      expect(await queue.get(id ?? '')).toMatchObject({ state: 'cancelled', attempts: 0 });
      expect(await queue.cancel(id ?? '')).toBe(false);
      void queue.work(hands.handle, 1);
      expect((await hands.next()).job.id).toBe(next);
    });

    test.each(['done', 'fail'] as const)(
      'a running job tells its handler, and holds when that is %s',
      async (way) => {
        const { queue, hands } = await rig();
        void queue.work(hands.handle, 1);
        const id = await queue.submit(jobOf());
        const held = await hands.next();
        expect(await queue.cancel(id)).toBe(true);
        expect(held.signal.aborted).toBe(true);
        expect(held.signal.reason).toEqual(code('E_CANCELLED'));
        expect(await queue.get(id)).toMatchObject({ state: 'running' });
        if (way === 'done') held.done();
        else held.fail(passing());
        expect(await whenFinished(queue, id)).toMatchObject({ state: 'cancelled', outputs: [] });
      },
    );

    test('a finished job is too late', async () => {
      const { queue, hands } = await rig();
      void queue.work(hands.handle, 1);
      const id = await queue.submit(jobOf());
      (await hands.next()).done();
      await whenFinished(queue, id);
      expect(await queue.cancel(id)).toBe(false);
      expect(await queue.get(id)).toMatchObject({ state: 'succeeded' });
    });

    test('races with the end, and one of the two holds', async () => {
      const { queue } = await rig();
      void queue.work(async () => EMPTY, 4);
      const ids = await Promise.all(Array.from({ length: 100 }, () => queue.submit(jobOf())));
      const cancelled = await Promise.all(ids.map((id) => queue.cancel(id)));
      const ends = await Promise.all(ids.map((id) => whenFinished(queue, id)));
      expect(ends.map(({ state }) => state === 'cancelled')).toEqual(cancelled);
    });
  });

  describe(`${name}: limits`, () => {
    test('a full queue says so, and takes jobs again when there is room', async () => {
      const { queue, hands } = await rig({ limits: { queued: 2 } });
      await submitAll(queue, [jobOf(), jobOf({ key: 'k' })]);
      await expect(queue.submit(jobOf())).rejects.toEqual(code('E_QUEUE_FULL'));
      await expect(queue.submit(jobOf({ key: 'k' }))).resolves.toEqual(expect.any(String));
      void queue.work(hands.handle, 1);
      await hands.next();
      await expect(queue.submit(jobOf())).resolves.toEqual(expect.any(String));
      await expect(queue.submit(jobOf())).rejects.toEqual(code('E_QUEUE_FULL'));
    });

    test('a burst at a full queue is let in as far as there is room', async () => {
      const { queue } = await rig({ limits: { queued: 10 } });
      const answers = await Promise.allSettled(Array.from({ length: 30 }, () => queue.submit(jobOf())));
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    });

    test('a tenant with too many waiting is refused, others are not', async () => {
      const { queue } = await rig({ limits: { tenantQueued: 1 } });
      await queue.submit(jobOf({ tenant: 'a' }));
      await expect(queue.submit(jobOf({ tenant: 'a', priority: 'idle' }))).rejects.toEqual(code('E_QUOTA'));
      await expect(queue.submit(jobOf({ tenant: 'b' }))).resolves.toEqual(expect.any(String));
    });

    test('a tenant with too many running waits, and lets others pass', async () => {
      const { queue, hands } = await rig({ limits: { tenantRunning: 1 } });
      const [one, two] = await submitAll(queue, [jobOf({ tenant: 'a' }), jobOf({ tenant: 'a' })]);
      const other = await queue.submit(jobOf({ tenant: 'b', priority: 'idle' }));
      void queue.work(hands.handle, 3);
      const [first, second] = [await hands.next(), await hands.next()];
      expect([first.job.id, second.job.id]).toEqual([one, other]);
      expect(hands.waiting).toBe(0);
      first.done();
      expect((await hands.next()).job.id).toBe(two);
    });
  });

  describe(`${name}: events`, () => {
    test('tell each change under a growing number, for one job or all', async () => {
      const { queue, hands } = await rig();
      const [all, one]: [JobEvent[], JobEvent[]] = [[], []];
      const id = await queue.submit(jobOf());
      const stop = queue.subscribe((event) => all.push(event));
      queue.subscribe((event) => one.push(event), id);
      void queue.work(hands.handle, 1);
      const other = await queue.submit(jobOf());
      const held = await hands.next();
      held.progress(0.25);
      held.progress(0.251);
      held.progress(0.5);
      expect(await queue.get(id)).toMatchObject({ progress: 0.5 });
      held.done();
      await whenFinished(queue, id);
      stop();
      (await hands.next()).done();
      await whenFinished(queue, other);
      expect(one.map(({ job }) => [job.state, job.progress])).toEqual([
        ['running', 0],
        ['running', 0.25],
        ['running', 0.5],
        ['succeeded', 1],
      ]);
      expect(all.filter(({ job }) => job.id === id)).toEqual(one);
      expect(all.some(({ job }) => job.id === other && job.state === 'queued')).toBe(true);
      expect(all.some(({ job }) => job.id === other && job.state === 'succeeded')).toBe(false);
      const numbers = all.map((event) => event.id);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    });

    test('missed are made up for by number: each job that changed, once', async () => {
      const { queue, hands } = await rig();
      const events: JobEvent[] = [];
      queue.subscribe((event) => events.push(event));
      const [a, b] = await submitAll(queue, [jobOf(), jobOf()]);
      const seen = events.at(-1)?.id ?? 0;
      void queue.work(hands.handle, 1);
      (await hands.next()).done();
      await whenFinished(queue, a ?? '');
      await hands.next();
      const { events: missed, complete } = await queue.since(seen, 10);
      expect(missed.map(({ job }) => [job.id, job.state])).toEqual([
        [a, 'succeeded'],
        [b, 'running'],
      ]);
      expect(complete).toBe(true);
      const first = await queue.since(0, 1);
      expect(first.complete).toBe(false);
      expect(await queue.since(first.events[0]?.id ?? 0, 1)).toMatchObject({ complete: true });
      expect(await queue.since(missed.at(-1)?.id ?? 0, 10)).toEqual({ events: [], complete: true });
    });

    test('are waited for until the signal says otherwise', async () => {
      const { queue } = await rig();
      const id = await queue.submit(jobOf());
      const stop = new AbortController();
      const waiting = whenFinished(queue, id, stop.signal);
      stop.abort(passing());
      await expect(waiting).rejects.toEqual(code('E_TIMEOUT'));
    });
  });

  describe(`${name}: listing and counting`, () => {
    test('pages through the jobs, the newest first', async () => {
      const { queue } = await rig();
      const ids = await submitAll(
        queue,
        Array.from({ length: 7 }, (_, n) => jobOf({ tenant: n % 2 === 0 ? 'even' : 'odd' })),
      );
      await queue.cancel(ids[2] ?? '');
      await queue.cancel(ids[3] ?? '');
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await queue.list({ limit: 3, ...(cursor !== undefined && { cursor }) });
        pages.push(page.jobs.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(ids.toReversed());
      const listed = async (query: object) => (await queue.list(query)).jobs.map(({ id }) => ids.indexOf(id));
      expect(await listed({ state: 'cancelled' })).toEqual([3, 2]);
      expect(await listed({ tenant: 'odd' })).toEqual([5, 3, 1]);
      expect(await listed({ tenant: 'even', state: 'queued' })).toEqual([6, 4, 0]);
    });

    test.each([
      ['cursor', { cursor: '../etc' }],
      ['limit', { limit: 0 }],
      ['limit', { limit: 1001 }],
      ['state', { state: 'gone' as never }],
    ])('refuses a %s that it never gave', async (field, query) => {
      const { queue } = await rig();
      await expect(queue.list(query)).rejects.toMatchObject({ code: 'E_USAGE', field });
    });

    test('counts by state and priority, and the age of the oldest', async () => {
      const { queue, hands, pass } = await rig();
      expect((await queue.counts()).oldest).toBeUndefined();
      await submitAll(queue, [
        jobOf({ priority: 'batch' }),
        jobOf({ delay: 90 * SECOND }),
        jobOf({ priority: 'urgent' }),
      ]);
      await pass(5 * SECOND);
      const before = await queue.counts();
      expect(before.depth.queued).toEqual({ urgent: 1, normal: 1, batch: 1, idle: 0 });
      expect(before.oldest).toBeGreaterThanOrEqual(5 * SECOND);
      expect(before.submitted).toBe(3);
      void queue.work(hands.handle, 1);
      (await hands.next()).done();
      await hands.next();
      const after = await queue.counts();
      expect(after.depth.succeeded.urgent).toBe(1);
      expect(after.depth.running.batch).toBe(1);
      expect(after.oldest).toBeUndefined();
      expect(after.finished).toBe(1);
    });
  });

  describe(`${name}: keeping`, () => {
    test('ends with the ttl, and is remembered for a while', async () => {
      const { queue, pass } = await rig();
      void queue.work(async () => EMPTY, 1);
      const [short, ever] = await submitAll(queue, [
        jobOf({ ttl: 3 * SECOND }),
        jobOf({ ttl: Number.POSITIVE_INFINITY }),
      ]);
      const end = await whenFinished(queue, short ?? '');
      expect(end.expiresAt).toBe((end.finishedAt ?? 0) + 3 * SECOND);
      expect((await whenFinished(queue, ever ?? '')).expiresAt).toBeUndefined();
      await pass(60 * SECOND);
      await expect(queue.get(short ?? '')).rejects.toEqual(code('E_EXPIRED'));
      expect(await queue.retry(short ?? '')).toBe(false);
      expect((await queue.list()).jobs.map(({ id }) => id)).toEqual([ever]);
      expect(await queue.counts()).toMatchObject({ expired: 1 });
      expect(await queue.get(ever ?? '')).toMatchObject({ state: 'succeeded' });
    });

    test('of inputs and results lasts as long as their job', async () => {
      const { queue, blobs, hands, pass } = await rig();
      const { blob } = await blobs.put(Buffer.from('input'));
      const id = await queue.submit(
        jobOf({ source: { kind: 'blob', blob }, target: { kind: 'blob' }, ttl: 3 * SECOND }),
      );
      void queue.work(hands.handle, 1);
      const held = await hands.next();
      expect(await readFile(blobs.path(blob), 'utf8')).toBe('input');
      const made = await blobs.put(Buffer.from('result'));
      const at = { kind: 'blob' as const, blob: made.blob };
      held.done({ outputs: [{ at, name: 'a.png', type: 'image/png', bytes: 6, width: 1, height: 1 }] });
      const end = await whenFinished(queue, id);
      expect(end.outputs[0]?.at).toEqual(at);
      expect(await readFile(blobs.path(made.blob), 'utf8')).toBe('result');
      expect((await queue.counts()).blobBytes).toBe(11);
      await pass(60 * SECOND);
      await queue.close();
      expect([blob, made.blob].map((name) => existsSync(blobs.path(name)))).toEqual([false, false]);
    });

    test('takes over a source: refused or taken for another, it is gone', async () => {
      const { queue, blobs } = await rig({ limits: { queued: 2 } });
      const put = async () => (await blobs.put(Buffer.from('input'))).blob;
      const submit = (blob: string, over: Partial<Job> = {}) =>
        queue.submit(jobOf({ source: { kind: 'blob', blob }, ...over }));
      const [kept, twin, extra] = [await put(), await put(), await put()];
      const id = await submit(kept, { key: 'k' });
      expect(await submit(twin, { key: 'k' })).toBe(id);
      await expect(submit(kept)).rejects.toEqual(code('E_NOT_FOUND'));
      await queue.submit(jobOf());
      await expect(submit(extra)).rejects.toEqual(code('E_QUEUE_FULL'));
      expect([kept, twin, extra].map((blob) => existsSync(blobs.path(blob)))).toEqual([true, false, false]);
      expect((await queue.counts()).blobBytes).toBe(5);
    });

    test('a result of a cancelled job is nobody’s', async () => {
      const { queue, blobs, hands } = await rig();
      void queue.work(hands.handle, 1);
      const id = await queue.submit(jobOf());
      const held = await hands.next();
      const { blob } = await blobs.put(Buffer.from('result'));
      await queue.cancel(id);
      const others = occupied();
      held.done({
        outputs: [
          { at: { kind: 'blob', blob }, name: 'a', type: 'image/png', bytes: 6, width: 1, height: 1 },
        ],
      });
      await whenFinished(queue, id);
      await queue.close();
      expect(existsSync(blobs.path(blob))).toBe(false);
      await others;
    });
  });

  describe(`${name}: closing`, () => {
    test('gives running jobs their while, keeps the waiting ones, and takes no more', async () => {
      const { queue, hands, reopen } = await rig({ grace: 60 * SECOND });
      const [running, waiting] = await submitAll(queue, [jobOf(), jobOf()]);
      const working = queue.work(hands.handle, 1);
      const held = await hands.next();
      const closing = queue.close();
      await expect(queue.submit(jobOf())).rejects.toEqual(code('E_DRAINING'));
      held.done();
      await Promise.all([closing, working]);
      const next = await reopen();
      onTestFinished(() => next.queue.close());
      const states = async (id: string | undefined): Promise<JobState | undefined> =>
        next.queue.get(id ?? '');
      expect(await states(running)).toMatchObject({ state: 'succeeded' });
      expect(await states(waiting)).toMatchObject({ state: 'queued', attempts: 0 });
    });

    test('returns to the queue what does not finish, and tells its handler', async () => {
      const { queue, hands, reopen } = await rig({ grace: 0 });
      const id = await queue.submit(jobOf({ attempts: 1 }));
      void queue.work(hands.handle, 1);
      const held = await hands.next();
      const closing = queue.close();
      const next = await reopen();
      await closing;
      onTestFinished(() => next.queue.close());
      expect(held.signal.reason).toEqual(code('E_DRAINING'));
      held.done();
      expect(await next.queue.get(id)).toMatchObject({ state: 'queued', attempts: 0 });
      const hand = new Hands();
      void next.queue.work(hand.handle, 1);
      (await hand.next()).done();
      expect(await whenFinished(next.queue, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
    });
  });
}
