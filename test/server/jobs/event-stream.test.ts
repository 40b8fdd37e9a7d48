import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmbedded } from '../../../src/jobs/embedded.js';
import { EventStream } from '../../../src/server/http/event-stream.js';
import { EMPTY, jobOf } from '../../jobs/hands.js';
import { tempDir } from '../../support/fixtures.js';
import { eventually, SOON } from '../workshop.js';

async function queue() {
  const opened = await openEmbedded({ folder: await tempDir(), limits: { reserve: 0 } });
  onTestFinished(() => opened.close(0));
  return opened;
}

/** Reads a stream until it has told of so many jobs in their last state. */
async function told(stream: EventStream, jobs: number) {
  const events: { id: number; job: string; event: string }[] = [];
  const done = new Set<string>();
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, id, job] = /^event: (\w+)\nid: (\d+)\ndata: {"id":"([\w-]+)"/.exec(block) ?? [];
      if (event === undefined) continue;
      events.push({ id: Number(id), job: job ?? '', event });
      if (event === 'done') done.add(job ?? '');
    }
    if (done.size === jobs) break;
  }
  return { events, done };
}

describe('a reader that takes nothing for a while', () => {
  it.each([300, 1500])(
    'holds no more for it than how %i jobs stand, of which it misses none',
    async (count) => {
      const jobs = await queue();
      const stream = new EventStream(jobs, {});
      const ids = await Promise.all(Array.from({ length: count }, () => jobs.submit(jobOf())));
      void jobs.work(async (_job, { progress }) => {
        for (const fraction of [0.2, 0.4, 0.6, 0.8]) progress(fraction);
        return EMPTY;
      }, 8);
      await eventually(async () => expect((await jobs.counts()).finished).toBe(count));
      expect(stream.readableLength).toBeLessThan(2 * stream.readableHighWaterMark);
      const { events, done } = await told(stream, count);
      expect(done).toEqual(new Set(ids));
      // six changes of each job were made; those that nobody took are told as one
      expect(events.length).toBeLessThan(count * 1.2);
      expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).sort((a, b) => a - b));
    },
  );

  it('is let go in the end', async () => {
    const jobs = await queue();
    const stream = new EventStream(jobs, {});
    const closed = new Promise((resolve) => stream.once('close', resolve));
    for (let beats = 0; beats < 200 && !stream.destroyed; beats += 1) stream.beat();
    await closed;
    expect(stream.destroyed).toBe(true);
  });

  it('is kept while it reads, by a heartbeat', async () => {
    const jobs = await queue();
    const stream = new EventStream(jobs, {});
    let text = '';
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
    await expect.poll(() => text, SOON).toMatch('retry');
    for (let beats = 0; beats < 200; beats += 1) {
      stream.beat();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(text.split(': heartbeat\n\n')).toHaveLength(201);
    expect(stream.destroyed).toBe(false);
  });
});
