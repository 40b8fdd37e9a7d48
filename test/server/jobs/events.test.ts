import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { photos, tempDir } from '../../support/fixtures.js';
import { bytesOf, eventually, noise, server } from '../workshop.js';
import { busy, ENDLESS, reaches, submitted, watch } from './jobs.js';

const [photo = ''] = photos();

/** Event ids as numbers. */
function numbers(told: readonly { readonly id: string }[]): number[] {
  return told.map(({ id }) => Number(id));
}

describe('GET /v1/jobs/ID/events', () => {
  it('tells of progress to the end, and ends', async () => {
    const { url, free } = await busy();
    const job = await submitted(url, await bytesOf(photo));
    const watcher = await watch(url, `${job.href}/events`);
    await free();
    expect(watcher.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await watcher.isOver();
    expect(watcher.text).toMatch(/^retry: \d+\n\n/);
    expect(watcher.names.at(-1)).toBe('done');
    expect(new Set(watcher.names.slice(0, -1))).toEqual(new Set(['progress']));
    const steps = watcher.told.map(({ job: { progress } }) => progress);
    expect(steps).toEqual([...steps].sort());
    const ids = numbers(watcher.told);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(watcher.told.at(-1)?.job).toMatchObject({ id: job.id, state: 'succeeded', outputs: [{}] });
  });

  it('begins with how the job stands, also for one that ended long ago', async () => {
    const { url } = await server({ jobs: {} });
    const cut = (await bytesOf(photo)).subarray(0, 50_000);
    const failed = await reaches(url, await submitted(url, cut), 'failed');
    const watcher = await watch(url, `${failed.href}/events`);
    await watcher.isOver();
    expect(watcher.told).toMatchObject([{ event: 'error', job: failed }]);
    // an EventSource comes back after every end: this one has seen it
    const again = await watch(url, `${failed.href}/events`, { 'last-event-id': watcher.last });
    expect(again.response.statusCode).toBe(204);
    const head = await fetch(`${url}${failed.href}/events`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  });

  it('is heard by several, and says of a cancelled job that it is done', async () => {
    const { url } = await server({ jobs: {}, limits: { workers: 1 } });
    const job = await submitted(url, await noise(1), { query: ENDLESS });
    const watchers = await Promise.all([1, 2, 3].map(() => watch(url, `${job.href}/events`)));
    const all = await watch(url, '/v1/jobs/events');
    await fetch(`${url}${job.href}`, { method: 'DELETE' });
    for (const watcher of watchers) {
      await watcher.isOver();
      expect(watcher.told.at(-1)).toMatchObject({ event: 'done', job: { state: 'cancelled' } });
    }
    await all.hears('done');
    expect(all.ended).toBe(false);
  });

  it('goes on after the last event that a client has, over a restart too', async () => {
    const folder = await tempDir();
    const { endless, ...first } = await busy({ jobs: { folder } });
    const job = await submitted(first.url, await bytesOf(photo));
    const before = await watch(first.url, `${job.href}/events`);
    await before.hears('progress');
    await first.close();
    await eventually(() => expect(before.response.destroyed).toBe(true));
    expect(before.told).toMatchObject([{ job: { state: 'queued' } }]);
    const second = await server({ jobs: { folder }, limits: { workers: 1 } });
    const path = `${job.href}/events`;
    const after = await watch(second.url, path, { 'last-event-id': before.last });
    const byQuery = await watch(second.url, `${path}?last_event_id=${before.last}`);
    await fetch(`${second.url}${endless.href}`, { method: 'DELETE' });
    for (const watcher of [after, byQuery]) {
      await watcher.isOver();
      expect(numbers(watcher.told)[0]).toBeGreaterThan(Number(before.last));
      expect(watcher.told.at(-1)).toMatchObject({ event: 'done', job: { state: 'succeeded' } });
      // what the client had seen is not told again
      expect(watcher.told.map((told) => told.job.state)).not.toContain('queued');
    }
  });

  it('is not led astray by an id that it never gave', async () => {
    const { url } = await server({ jobs: {} });
    const job = await reaches(url, await submitted(url, await bytesOf(photo)), 'succeeded');
    for (const id of ['9007199254740991', '99999999999999999', '-1', 'x', '']) {
      const watcher = await watch(url, `${job.href}/events`, { 'last-event-id': id });
      await watcher.isOver();
      expect(watcher.names).toEqual(['done']);
    }
  });
});

describe('GET /v1/jobs/events', () => {
  it('tells of all jobs from now on, and of what was missed in between', async () => {
    const { url, desk } = await server({ jobs: {} });
    const bytes = await bytesOf(photo);
    await reaches(url, await submitted(url, bytes), 'succeeded');
    const watcher = await watch(url, '/v1/jobs/events');
    // where it begins is told at once, for a client that is cut off before the first event
    await eventually(() => expect(Number(watcher.last)).toBe(desk?.queue.latest()));
    const start = watcher.last;
    watcher.leave();
    const missed = await Promise.all(Array.from({ length: 25 }, () => submitted(url, bytes)));
    for (const job of missed) await reaches(url, job, 'succeeded');
    const back = await watch(url, '/v1/jobs/events', { 'last-event-id': start });
    await eventually(() => expect(back.told).toHaveLength(25));
    expect(new Set(back.told.map(({ job }) => job.id))).toEqual(new Set(missed.map(({ id }) => id)));
    const ids = numbers(back.told);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const late = await submitted(url, bytes);
    await eventually(() =>
      expect(back.told.at(-1)).toMatchObject({ event: 'done', job: { id: late.id, state: 'succeeded' } }),
    );
    expect(back.ended).toBe(false);
  });

  it('forgets those who leave, and ends when the server goes down', async () => {
    const running = await server({ jobs: {}, limits: { workers: 1 } });
    const { url, port, service } = running;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /v1/jobs/events HTTP/1.1\r\nHost: here\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    const job = await submitted(url, await noise(1), { query: ENDLESS });
    const watchers = await Promise.all(
      ['/v1/jobs/events', `${job.href}/events`].map((path) => watch(url, path)),
    );
    await eventually(() => expect(service.state().running).toBe(1));
    const drained = running.drain();
    for (const watcher of watchers) {
      await watcher.isOver();
      expect(watcher.names).not.toContain('done');
    }
    await running.desk?.queue.cancel(job.id);
    await drained;
  });
});
