import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OffsetTable } from '../../src/manifest/table.js';

const names = fc.oneof(
  fc.nat(400).map((n) => `a/${n}.jpg`),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const change = fc.record({ name: names, offset: fc.option(fc.nat({ max: 2 ** 47 }), { nil: undefined }) });

test('a table holds what a Map would, whatever is set and deleted in whatever order', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3000, size: 'max' }), (changes) => {
      const table = new OffsetTable();
      const map = new Map<string, number>();
      for (const { name, offset } of changes) {
        if (offset === undefined) {
          table.delete(name);
          map.delete(name);
        } else {
          table.set(name, offset);
          map.set(name, offset);
        }
      }
      expect(table.size).toBe(map.size);
      for (const { name } of changes) expect(table.get(name)).toBe(map.get(name));
      expect([...table.offsets()]).toEqual([...map.values()].sort((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});

test('a table grows past its first size with every name kept, in at most 27 bytes a name', () => {
  const table = new OffsetTable();
  for (let n = 0; n < 200_000; n++) table.set(`photos/2024/IMG_${n}.jpg`, n * 300);
  expect(table.size).toBe(200_000);
  expect(table.bytes / table.size).toBeLessThanOrEqual(27);
  let wrong = 0;
  for (let n = 0; n < 200_000; n++) if (table.get(`photos/2024/IMG_${n}.jpg`) !== n * 300) wrong++;
  expect(wrong).toBe(0);
  expect(table.get('photos/2024/IMG_200000.jpg')).toBeUndefined();
});

test('a table that is filled and emptied over and over does not grow without end', () => {
  const table = new OffsetTable();
  for (let n = 0; n < 50_000; n++) {
    table.set(`${n}`, n);
    table.delete(`${n}`);
  }
  expect(table.size).toBe(0);
  expect(table.bytes).toBeLessThan(32_000);
});

test('offsets past 4 GiB come back whole', () => {
  const table = new OffsetTable();
  for (const offset of [0, 1, 2 ** 32 - 3, 2 ** 32 - 2, 2 ** 32, 2 ** 47]) {
    table.set('x', offset);
    expect(table.get('x')).toBe(offset);
  }
  expect(table.size).toBe(1);
});
