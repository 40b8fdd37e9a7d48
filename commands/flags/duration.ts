import { Flags } from '@oclif/core';
import { expected, ImgtoolError } from '../../src/errors.js';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration such as `500s`, `30m`, `24h` or `30d`; Infinity for `never`. Throws E_USAGE. */
export function durationMs(text: string, field: string): number {
  if (text === 'never') return Number.POSITIVE_INFINITY;
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const isUnit = (name: string | undefined): name is keyof typeof UNITS =>
    name !== undefined && name in UNITS;
  if (!isUnit(unit) || Number(count) === 0)
    throw new ImgtoolError('E_USAGE', expected('a duration such as 500s, 30m, 24h, 30d, or never', text), {
      field,
    });
  return Number(count) * UNITS[unit];
}

/** A duration as a flag; its value is in milliseconds. */
export const duration = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: async (text, _context, { name }) => durationMs(text, `--${name}`),
});
