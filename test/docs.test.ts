import { describe, expect, it } from 'vitest';
import { comparable, pages, rerun, textOf } from '../scripts/transcripts.mjs';

describe('what the pages show', () => {
  it.each(pages())('%s shows what the commands say', (path) => {
    expect(comparable(textOf(path))).toEqual(comparable(rerun(path)));
  });
});
