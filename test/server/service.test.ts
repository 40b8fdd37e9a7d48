import { kill } from 'node:process';
import { describe, expect, it, vi } from 'vitest';
import type { RecipeInput } from '../../src/recipe.js';
import { fixture, photos } from '../support/fixtures.js';
import {
  bulky,
  bytesOf,
  direct,
  ENDLESS,
  emptied,
  noise,
  process,
  recipe,
  service,
  upload,
} from './workshop.js';

const THUMB: RecipeInput = { steps: [{ op: 'thumbnail', size: 100 }] };
const [photo = ''] = photos();

/** Resolves once the service is at the stated work. */
async function until(state: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(state()).toBe(true), { timeout: 30_000, interval: 5 });
}

describe('the image service', () => {
  it.each<[string, string, RecipeInput]>([
    ['a photograph', photo, THUMB],
    ['a large result, which goes through a file', photo, { outputs: [{ format: 'png' }] }],
    ['a kernel', fixture('png/rgba.png'), { steps: [{ op: 'mean', size: 5 }] }],
    ['an animation', fixture('animated/distinct.gif'), { steps: [{ op: 'rotate', angle: 180 }] }],
  ])('gives the same bytes as the pipeline alone for %s', async (_, path, raw) => {
    const at = service();
    const bytes = await bytesOf(path);
    const { images } = await process(at, bytes, raw);
    expect(Buffer.compare(images[0].bytes, await direct(bytes, raw))).toBe(0);
    await emptied(at);
  });

  it('gives several results in the order of the outputs', async () => {
    const raw: RecipeInput = {
      ...THUMB,
      outputs: [{ format: 'webp' }, { format: 'png' }, { format: 'jpeg' }],
    };
    const { images } = await process(service(), await bytesOf(photo), raw);
    expect(images.map(({ format }) => format)).toEqual(['webp', 'png', 'jpeg']);
  });

  it('reads the size from the header', async () => {
    const at = service();
    const facts = await at.size(
      await upload(at, await bytesOf(fixture('oriented/orientation-6.jpg'))),
      never(),
    );
    expect(facts).toMatchObject({ format: 'jpeg', orientation: 6 });
    expect(facts.width).toBe(facts.stored.height);
  });

  it('shares one run between equal requests, and keeps it for the second when the first leaves', async () => {
    const at = service();
    const bytes = await bytesOf(photo);
    const leaving = new AbortController();
    const uploads = await Promise.all([upload(at, bytes), upload(at, bytes), upload(at, bytes)]);
    const [first, second, third] = uploads.map((input, index) =>
      at.process(input, recipe(THUMB), index === 0 ? leaving.signal : never()),
    );
    leaving.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    for (const { release } of uploads) release();
    expect((await second)?.images[0]).toBe((await third)?.images[0]);
    await until(() => at.state().running === 0);
    await emptied(at);
  });

  it('refuses at once what the queue has no room for, and serves on when there is room', async () => {
    const at = service({ limits: { workers: 1, queue: 1 } });
    const leave = new AbortController();
    const held = [1, 2].map(async (seed) => process(at, await noise(seed), ENDLESS, leave.signal));
    const ends = Promise.allSettled(held);
    await until(() => at.state().running === 1 && at.state().waiting === 1);
    await expect(process(at, await bytesOf(photo), THUMB)).rejects.toMatchObject({ code: 'E_QUEUE_FULL' });
    leave.abort(new Error('left'));
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected' });
    await expect(process(at, await bytesOf(photo), THUMB)).resolves.toBeDefined();
    await emptied(at);
  });

  it('lets small pictures through while bulky ones wait for each other', async () => {
    const at = service({ limits: { workers: 2, queue: 8 } });
    const leave = new AbortController();
    const pictures = await Promise.all([1, 2, 3].map(bulky));
    const ends = Promise.allSettled(pictures.map((bytes) => process(at, bytes, ENDLESS, leave.signal)));
    await until(() => at.state().pixels > 0 && at.state().waiting === 2);
    await expect(process(at, await bytesOf(photo), THUMB)).resolves.toBeDefined();
    expect(at.state()).toMatchObject({ running: 1, waiting: 2 });
    leave.abort(new Error('left'));
    await ends;
  });

  it('stops a running decode when the caller leaves, and the next request finds a process', async () => {
    const at = service({ limits: { workers: 1 } });
    const leave = new AbortController();
    const end = expect(process(at, await noise(1), ENDLESS, leave.signal)).rejects.toThrow('left');
    await until(() => at.state().workersBusy.length === 1);
    const [pid = 0] = at.state().workersBusy;
    leave.abort(new Error('left'));
    await end;
    expect(at.state()).toMatchObject({ running: 0, workersBusy: [] });
    await expect(process(at, await bytesOf(photo), THUMB)).resolves.toBeDefined();
    await until(() => !isRunning(pid));
  });

  it('fails only the request whose process was killed, with an error that says so', async () => {
    const at = service({ limits: { workers: 2 } });
    const leave = new AbortController();
    const doomed = process(at, await noise(1), ENDLESS, leave.signal);
    const ends = [
      expect(doomed).rejects.toMatchObject({ code: 'E_WORKER', message: expect.stringMatching('SIGKILL') }),
    ];
    await until(() => at.state().workersBusy.length === 1);
    const [pid = 0] = at.state().workersBusy;
    ends.push(expect(process(at, await noise(2), ENDLESS, leave.signal)).rejects.toThrow('left'));
    await until(() => at.state().workersBusy.length === 2);
    kill(pid, 'SIGKILL');
    await ends[0];
    await expect(process(at, await bytesOf(photo), THUMB)).resolves.toBeDefined();
    leave.abort(new Error('left'));
    await Promise.all(ends);
  });

  it.each<[string, string, RecipeInput, string]>([
    ['900 megapixels in a small file', 'hostile/png-900-megapixels.png', THUMB, 'E_LIMIT_PIXELS'],
    ['2000 frames', 'hostile/gif-2000-frames.gif', {}, 'E_LIMIT_FRAMES'],
    ['a header that claims the largest size', 'hostile/png-claims-65535.png', THUMB, 'E_LIMIT_PIXELS'],
    ['a scale of 1000', 'png/rgb.png', { steps: [{ op: 'scale', factor: 1000 }] }, 'E_LIMIT_OUTPUT'],
    [
      'frames that grow together',
      'animated/distinct.gif',
      { steps: [{ op: 'scale', size: '7000x7000' }] },
      'E_LIMIT_OUTPUT',
    ],
    ['17 outputs', 'png/rgb.png', { outputs: Array(17).fill({}) }, 'E_LIMIT_OUTPUT'],
    ['SVG', 'svg/corners.svg', {}, 'E_UNSUPPORTED'],
    ['SVG in UTF-16', 'hostile/svg-utf-16.svg', {}, 'E_UNSUPPORTED'],
    ['text named as a picture', 'hostile/text-named.jpg', {}, 'E_UNSUPPORTED'],
    ['half a picture', 'hostile/jpeg-cut-half.jpg', THUMB, 'E_DECODE'],
  ])('refuses %s', async (_, name, raw, code) => {
    const at = service({ limits: { workers: 1 } });
    const end = process(at, await bytesOf(fixture(name)), raw);
    await expect(end).rejects.toMatchObject({ code, message: expect.not.stringContaining(at.spool.folder) });
    await emptied(at);
  });

  it('refuses too many bytes and none at all, and keeps nothing of them', async () => {
    const at = service({ limits: { bytes: 1000 } });
    const bytes = Buffer.alloc(600);
    await expect(at.spool.write([bytes, bytes], 1000, never())).rejects.toMatchObject({
      code: 'E_LIMIT_BYTES',
    });
    await expect(at.spool.write([], 1000, never())).rejects.toMatchObject({ code: 'E_EMPTY' });
    await emptied(at);
  });

  it('reads SVG where it is switched on', async () => {
    const { images } = await process(
      service({ svg: true }),
      await bytesOf(fixture('svg/corners.svg')),
      THUMB,
    );
    expect(images[0].format).toBe('png');
  });

  it('finishes what has entered and lets nothing else in when it drains', async () => {
    const at = service();
    const visit = at.enter();
    const drained = at.drain();
    expect(() => at.enter()).toThrow(expect.objectContaining({ code: 'E_DRAINING' }));
    await expect(process(at, await bytesOf(photo), THUMB, visit.signal)).resolves.toBeDefined();
    visit.release();
    await drained;
    expect(at.state()).toMatchObject({ draining: true, running: 0 });
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}

function isRunning(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
