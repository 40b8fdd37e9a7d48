import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ImgtoolError } from '../../src/errors.js';
import { type PoolOptions, pool } from '../../src/remote/pool.js';
import { CallFailure } from '../../src/server/grpc/failure.js';

const OPTIONS: PoolOptions = {
  most: 2,
  patient: false,
  drain: new AbortController().signal,
  tell: () => undefined,
};
const MEMBERS = ['a', 'b', 'c'].map((name) => ({ name, client: name }));

/** Runs many pieces of work at once; gives the most that were at each member together, and how many there were. */
async function load(work: (client: string, running: number) => Promise<void>, count = 60) {
  const servers = pool(MEMBERS, OPTIONS);
  const now: Record<string, number> = { a: 0, b: 0, c: 0 };
  const most: Record<string, number> = { a: 0, b: 0, c: 0 };
  const total: Record<string, number> = { a: 0, b: 0, c: 0 };
  const one = () =>
    servers.run(async ({ client }) => {
      const running = (now[client] ?? 0) + 1;
      now[client] = running;
      most[client] = Math.max(most[client] ?? 0, running);
      total[client] = (total[client] ?? 0) + 1;
      try {
        await turn();
        await work(client, running);
      } finally {
        now[client] = (now[client] ?? 0) - 1;
      }
    });
  await Promise.all(Array.from({ length: count }, one));
  return { most, total };
}

describe('a pool of servers', () => {
  it('gives each no more than may be in flight there, and all the same', async () => {
    const { most, total } = await load(async () => undefined);
    expect(most).toEqual({ a: 2, b: 2, c: 2 });
    expect(total).toEqual({ a: 20, b: 20, c: 20 });
  });

  it('leaves one alone that does not answer', async () => {
    const away = new CallFailure('E_UPSTREAM', 'gone', { answered: false, waitMs: 60_000 });
    const { total } = await load(async (client) => {
      if (client === 'b') throw away;
    });
    expect(total.b).toBeLessThanOrEqual(2);
    expect((total.a ?? 0) + (total.c ?? 0)).toBe(60);
  });

  it('sends fewer to one that is full', async () => {
    const full = new CallFailure('E_QUEUE_FULL', 'full', { answered: true, waitMs: 60_000 });
    let refused = 0;
    const { total } = await load(async (client, running) => {
      if (client !== 'b' || running < 2) {
        await turn();
        return;
      }
      refused += 1;
      throw full;
    });
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan((total.b ?? 0) / 3);
  });

  it('throws what another try would not change, and the error of a picture that fails everywhere', async () => {
    const bad = new CallFailure('E_DECODE', 'bad', { answered: true });
    await expect(load(() => Promise.reject(bad), 1)).rejects.toBe(bad);
    const local = new ImgtoolError('E_READ', 'no');
    await expect(load(() => Promise.reject(local), 1)).rejects.toBe(local);
    const worker = new CallFailure('E_WORKER', 'died', { answered: true });
    await expect(load(() => Promise.reject(worker), 1)).rejects.toBe(worker);
  });

  it('makes no more tries once it is drained', async () => {
    const drain = new AbortController();
    const servers = pool(MEMBERS, { ...OPTIONS, drain: drain.signal });
    const away = new CallFailure('E_UPSTREAM', 'gone', { answered: false, waitMs: 60_000 });
    const end = servers.run(() => Promise.reject(away));
    setImmediate(() => drain.abort());
    await expect(end).rejects.toMatchObject({
      code: 'E_UPSTREAM',
      message: 'expected a result from a or b or c, received none: gone',
    });
  });
});
