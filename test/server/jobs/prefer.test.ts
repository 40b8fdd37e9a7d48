import { describe, expect, it } from 'vitest';
import { preferences } from '../../../src/server/http/prefer.js';

describe('Prefer', () => {
  it.each([
    ['respond-async', true, 0],
    ['Respond-Async', true, 0],
    ['respond-async, wait=10', true, 10],
    ['wait=10, respond-async', true, 10],
    ['return=minimal; foo="a, respond-async", wait=3', false, 3],
    ['handling=lenient, respond-async; q="x,y;z" , WAIT = "7"', true, 7],
    [['respond-async', 'wait=5'], true, 5],
    // the first of two counts
    ['wait=1, wait=9, respond-async', true, 1],
    ['respond-async, wait=-1', true, 0],
    ['respond-async, wait=1.5', true, 0],
    ['respond-async, wait=soon', true, 0],
    ['respond-async, wait', true, 0],
    ['respond-async, wait=12345678901234567890', true, 0],
    ['x="\\"respond-async, \\\\", respond-async', true, 0],
    ['x="respond-async, wait=4', false, 0],
    ['respond-asynchronously', false, 0],
    [',,;=,', false, 0],
    ['', false, 0],
    [undefined, false, 0],
  ])('%j', (header, respondAsync, wait) => {
    expect(preferences(header)).toEqual({ respondAsync, wait });
  });
});
