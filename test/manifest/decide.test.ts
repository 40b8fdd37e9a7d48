import { describe, expect, test } from 'vitest';
import { decide, type Entry, isRacy, type Present } from '../../src/manifest.js';

const checkedAt = 1_700_000_060_000;
const mtimeMs = 1_700_000_000_000.25;
const source = { name: '../in/a.jpg', size: 100, mtimeMs, hash: 'S' };
const made = { size: 10, mtimeMs: checkedAt + 5, hash: 'O' };
const entry: Entry = { output: 'a.jpg', source, key: 'k', made, checkedAt };
const { hash: _source, ...sourceStat } = source;
const { hash: _made, ...madeStat } = made;
const now: Present = { source: sourceStat, output: madeStat, key: 'k' };
const unhashed: Entry = { ...entry, source: sourceStat, made: madeStat };

describe('without a record', () => {
  test('an output that is not there is absent', () => {
    expect(decide(undefined, { ...now, output: undefined })).toBe('absent');
  });
  test('a file in its place is not ours', () => {
    expect(decide(undefined, now)).toBe('unknown-output');
  });
});

describe('with a record', () => {
  test('sizes and times alike need no look inside', () => {
    expect(decide(entry, now)).toBe('unchanged');
    expect(decide(unhashed, now)).toBe('unchanged');
  });
  test('a missing output, a claim, another key are made anew, whatever the rest', () => {
    expect(decide(entry, { ...now, output: undefined })).toBe('missing');
    const { made: _, ...claim } = entry;
    expect(decide(claim, now)).toBe('unfinished');
    expect(decide(entry, { ...now, key: 'other' })).toBe('recipe');
  });
  test('another size is another picture', () => {
    expect(decide(entry, { ...now, source: { ...sourceStat, size: 101 } })).toBe('changed');
    expect(decide(entry, { ...now, output: { ...madeStat, size: 9 } })).toBe('damaged');
  });
});

describe('when a source has new times, as after a checkout', () => {
  const touched = { ...sourceStat, mtimeMs: mtimeMs + 1000 };
  test('its hash decides', () => {
    expect(decide(entry, { ...now, source: touched })).toBe('check-source');
    expect(decide(entry, { ...now, source: { ...touched, hash: 'S' } })).toBe('touched');
    expect(decide(entry, { ...now, source: { ...touched, hash: 'X' } })).toBe('changed');
  });
  test('without a hash on record it counts as changed', () => {
    expect(decide(unhashed, { ...now, source: touched })).toBe('changed');
  });
  test('older times are no better than newer ones', () => {
    expect(decide(entry, { ...now, source: { ...sourceStat, mtimeMs: mtimeMs - 1 } })).toBe('check-source');
  });
});

describe('when an output has new times, as after a cache was restored', () => {
  const restored = { ...madeStat, mtimeMs: 1 };
  test('its hash decides', () => {
    expect(decide(entry, { ...now, output: restored })).toBe('check-output');
    expect(decide(entry, { ...now, output: { ...restored, hash: 'O' } })).toBe('touched');
    expect(decide(entry, { ...now, output: { ...restored, hash: 'X' } })).toBe('damaged');
  });
  test('without a hash on record it counts as damaged', () => {
    expect(decide(unhashed, { ...now, output: restored })).toBe('damaged');
  });
  test('source and output are asked for one after the other', () => {
    const both = { ...now, source: { ...sourceStat, mtimeMs: 1 }, output: restored };
    expect(decide(entry, both)).toBe('check-source');
    expect(decide(entry, { ...both, source: { ...both.source, hash: 'S' } })).toBe('check-output');
  });
});

test('a source of another name is the same only by its hash', () => {
  const moved = { ...now, source: { ...sourceStat, name: '../in/b.jpg' } };
  expect(decide(entry, moved)).toBe('check-source');
  expect(decide(unhashed, moved)).toBe('changed');
});

test('a source without times, as a URL, is the same only by its hash', () => {
  const url: Entry = { ...entry, source: { name: 'https://example.org/a.jpg', hash: 'S' } };
  expect(decide(url, { ...now, source: { name: 'https://example.org/a.jpg' } })).toBe('check-source');
  expect(decide(url, { ...now, source: { name: 'https://example.org/a.jpg', size: 9, hash: 'S' } })).toBe(
    'touched',
  );
});

test('hashes at hand are believed over times, and one not on record yet is worth recording', () => {
  expect(decide(entry, { ...now, source })).toBe('unchanged');
  expect(decide(entry, { ...now, source: { ...source, hash: 'X' } })).toBe('changed');
  expect(decide(entry, { ...now, output: { ...made, hash: 'X' } })).toBe('damaged');
  expect(decide(unhashed, { ...now, source, output: made })).toBe('touched');
});

describe('a source modified as it was looked at', () => {
  const young: Entry = { ...entry, checkedAt: mtimeMs + 3 };
  test('is hashed although its times agree', () => {
    expect(decide(young, now)).toBe('check-source');
    expect(decide(young, { ...now, source })).toBe('touched');
    expect(decide({ ...unhashed, checkedAt: mtimeMs + 3 }, now)).toBe('changed');
  });
  test('is one no older than the clock grain, which whole seconds give away as coarse', () => {
    expect(isRacy(1000.5, 1010)).toBe(true);
    expect(isRacy(1000.5, 1030)).toBe(false);
    expect(isRacy(1000, 2500)).toBe(true);
    expect(isRacy(1000, 3000)).toBe(false);
    expect(isRacy(9000.5, 1000)).toBe(true);
  });
});
