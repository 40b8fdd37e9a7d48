import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashBytes, hashFile, localName, portableName, versionKey } from '../../src/manifest.js';
import { workshop } from './workshop.js';

let shop: Awaited<ReturnType<typeof workshop>>;
beforeEach(async () => {
  shop = await workshop();
});
afterEach(() => shop.close());

test('a file is named by the first 128 bits of its SHA-256, however long', async () => {
  const file = join(shop.folder, 'abc');
  await writeFile(file, 'abc');
  // The digest of "abc" in FIPS 180-4's examples.
  expect(await hashFile(file)).toBe('ba7816bf8f01cfea414140de5dae2223');
  const long = randomBytes(700_001);
  await writeFile(file, long);
  expect(await hashFile(file)).toBe(createHash('sha256').update(long).digest('hex').slice(0, 32));
  expect(hashBytes(long)).toBe(await hashFile(file));
});

test('a file that cannot be hashed says why', async () => {
  await expect(hashFile(join(shop.folder, 'none'))).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
    stage: 'read',
  });
  await expect(hashFile(shop.folder)).rejects.toMatchObject({ code: 'E_NOT_A_FILE' });
  await writeFile(join(shop.folder, 'x'), 'x');
  await expect(hashFile(join(shop.folder, 'x'), AbortSignal.abort())).rejects.toMatchObject({
    code: 'E_CANCELLED',
  });
});

test('a key does not depend on the order of keys, and on everything else', () => {
  expect(versionKey({ a: 1, b: [{ c: 2, d: undefined }] })).toBe(versionKey({ b: [{ c: 2 }], a: 1 }));
  expect(versionKey({ a: [1, 2] })).not.toBe(versionKey({ a: [2, 1] }));
  expect(versionKey({ a: '1' })).not.toBe(versionKey({ a: 1 }));
  expect(versionKey('x')).toMatch(/^[0-9a-f]{32}$/);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const one = JSON.parse(JSON.stringify(a));
      expect(versionKey(one)).toBe(versionKey(reversed(one)));
      expect(versionKey({ one: a, two: b })).toBe(versionKey({ two: b, one: a }));
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

test('names are relative with forward slashes and find their file again', () => {
  const out = join(shop.folder, 'out');
  expect(portableName(out, join(shop.folder, 'in', 'a b.jpg'))).toBe('../in/a b.jpg');
  expect(localName(out, '../in/a b.jpg')).toBe(join(shop.folder, 'in', 'a b.jpg'));
  for (const name of ['-', 'https://example.org/a.jpg']) {
    expect(portableName(out, name)).toBe(name);
    expect(localName(out, name)).toBe(name);
  }
  const dash = portableName(out, join(out, '-'));
  expect(dash).not.toBe('-');
  expect(localName(out, dash)).toBe(join(out, '-'));
});
