import { expect, it } from 'vitest';
import type { Order } from '../../src/watch/options.js';
import { ArrivalQueue } from '../../src/watch/queue.js';

const folder = { path: '/in', name: 'in', argument: 0 };
const place = (number: number) => ({ folder, relative: `${number}.png` });

function queueOf(order: Order, capacity: number, count: number): ArrivalQueue {
  const queue = new ArrivalQueue(order, capacity);
  for (let number = 0; number < count; number += 1) queue.offer(place(number), 0);
  return queue;
}

function drained(queue: ArrivalQueue): number[] {
  const taken: number[] = [];
  for (let next = queue.take(1); next !== undefined; next = queue.take(1))
    taken.push(Number.parseInt(next.place.relative, 10));
  return taken;
}

it('takes one of eight from the other end, so that neither the old nor the new starve', () => {
  expect(drained(queueOf('oldest', 100, 16))).toEqual([0, 1, 2, 3, 4, 5, 6, 15, 7, 8, 9, 10, 11, 12, 13, 14]);
  expect(drained(queueOf('newest', 100, 10))).toEqual([9, 8, 7, 6, 5, 4, 3, 0, 2, 1]);
});

it('holds no more than its capacity, and gives back what it pushes out', () => {
  const newest = new ArrivalQueue('newest', 3);
  const out = Array.from({ length: 6 }, (_, number) => newest.offer(place(number), 0)?.relative);
  expect(out).toEqual([undefined, undefined, undefined, '0.png', '1.png', '2.png']);
  expect(newest.size).toBe(3);
  expect(drained(newest)).toEqual([5, 4, 3]);
  // of the oldest first it is the latest that waits, so that the newest still has its turn
  expect(drained(queueOf('oldest', 3, 6))).toEqual([0, 1, 5]);
});

it('stays small however much is pushed through it', () => {
  const queue = queueOf('newest', 10, 100_000);
  expect(queue.size).toBe(10);
  expect(drained(queue)).toHaveLength(10);
});

it('knows each path once, and puts it off while it is still written', () => {
  const queue = new ArrivalQueue('oldest', 10);
  queue.offer(place(1), 100);
  queue.offer(place(2), 150);
  queue.offer(place(1), 300);
  expect(queue.size).toBe(2);
  expect(queue.take(99)).toBeUndefined();
  expect(queue.take(200)?.place.relative).toBe('2.png');
  expect(queue.take(200)).toBeUndefined();
  expect(queue.nextDue()).toBe(300);
  expect(queue.take(300)?.place.relative).toBe('1.png');
});

it('tries at once what failed and is heard of again', () => {
  const queue = new ArrivalQueue('oldest', 10);
  queue.offer(place(1), 0);
  const arrival = queue.take(0);
  expect(arrival).toBeDefined();
  if (arrival === undefined) return;
  arrival.tries = 3;
  arrival.due = 10_000;
  queue.return(arrival);
  queue.offer(place(1), 50);
  expect(queue.take(50)).toMatchObject({ tries: 0, place: { relative: '1.png' } });
  expect(queue.take(20_000)).toBeUndefined();
});
