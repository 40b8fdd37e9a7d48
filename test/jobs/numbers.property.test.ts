import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { backoff, mayPass } from '../../src/jobs/backoff.js';
import { isId, newId } from '../../src/jobs/ids.js';

test('ids carry their time, then bits that nobody foresees', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
      const [id, other] = [newId(now), newId(now)];
      expect(isId(id)).toBe(true);
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(now);
      expect(id.slice(14)).not.toBe(other.slice(14));
    }),
  );
});

test('every one of the 74 random bits of an id takes both values', () => {
  const bits = Array.from({ length: 600 }, () => BigInt(`0x${newId(0).replaceAll('-', '').slice(12)}`));
  const ever = bits.reduce((all, id) => all | id, 0n);
  const always = bits.reduce((all, id) => all & id, (1n << 80n) - 1n);
  const changing = (ever ^ always).toString(2).replaceAll('0', '').length;
  expect(changing).toBe(74);
});

test('waiting is spread over all of a span that doubles up to a minute', () => {
  const span = (attempt: number) => Math.min(60_000, 1000 * 2 ** (attempt - 1));
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), random, (attempt, share) => {
      expect(backoff(attempt, () => share)).toBe(Math.round(span(attempt) * share));
    }),
  );
});

test('what may pass is what the table of errors says', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  expect(codes.filter(mayPass)).toEqual(codes.filter((code) => ERRORS[code].retry));
  expect([mayPass('E_TIMEOUT'), mayPass('E_DECODE')]).toEqual([true, false]);
});
