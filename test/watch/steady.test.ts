import { expect, it } from 'vitest';
import { type Look, unsteadyFor } from '../../src/watch/steady.js';

const look = (changedMs: number, at: number, key = 'a'): Look => ({
  key,
  size: 1,
  inode: 1,
  mtimeMs: changedMs,
  changedMs,
  at,
});

it('takes what has stood still for the window by its own times', () => {
  expect(unsteadyFor(look(1000, 1200), undefined, 200)).toBe(0);
  expect(unsteadyFor(look(1000, 5000), undefined, 200)).toBe(0);
  expect(unsteadyFor(look(1000, 1000), undefined, 0)).toBe(0);
});

it('waits for the rest of the window', () => {
  expect(unsteadyFor(look(1000, 1150), undefined, 200)).toBe(50);
  expect(unsteadyFor(look(1000, 1000), undefined, 200)).toBe(200);
});

it('goes by two looks where the clock of the files runs ahead', () => {
  const first = look(99_000, 1000);
  expect(unsteadyFor(first, undefined, 200)).toBe(200);
  expect(unsteadyFor(look(99_000, 1150), first, 200)).toBe(50);
  expect(unsteadyFor(look(99_000, 1200), first, 200)).toBe(0);
  expect(unsteadyFor(look(99_000, 1200, 'b'), first, 200)).toBe(200);
});
