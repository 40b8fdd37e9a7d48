import { delimiter } from 'node:path';
import { Flags, type Interfaces } from '@oclif/core';
import * as z from 'zod';

/** Any flag of a command. */
export type AnyFlag = Interfaces.FlagInput[string];

/** What a section of a config file may hold: a command's flags by their names in camel case. */
export function sectionSchema(flags: Interfaces.FlagInput): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [
        camel(name),
        schemaOf(flag)
          .optional()
          .describe(flag.description ?? ''),
      ]),
    ),
  );
}

/** What a config file may say of a flag. */
export function schemaOf(flag: AnyFlag): z.ZodType {
  if (flag.type === 'boolean') return z.boolean();
  const one = flag.options !== undefined ? z.enum(flag.options) : isWhole(flag) ? whole(flag) : z.string();
  return flag.multiple === true ? z.union([one, z.array(one)]) : one;
}

/** The parser's own whole numbers all share one function. */
const WHOLE = Flags.integer().parse;

function isWhole(flag: AnyFlag): boolean {
  return Object.is(flag.parse, WHOLE);
}

function whole(flag: AnyFlag): z.ZodType {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds.parse(flag);
  return z.int().min(min).max(max);
}

const bounds = z.object({ min: z.number().optional(), max: z.number().optional() });

/** What a variable says of a flag: words for booleans, numbers, lists with commas; folders are parted as in PATH. */
export function readVariable(flag: AnyFlag, text: string): unknown {
  if (flag.type === 'boolean')
    return /^(true|yes|on|1)$/i.test(text) || (/^(false|no|off|0)$/i.test(text) ? false : text);
  const one = (part: string): unknown => (isWhole(flag) && /^-?\d+$/.test(part) ? Number(part) : part);
  if (flag.multiple !== true) return one(text);
  const parts = text.split(isPath(flag) ? delimiter : ',').map((part) => part.trim());
  return parts.filter((part) => part !== '').map(one);
}

/** Whether a flag names a file or a folder. */
export function isPath(flag: AnyFlag): boolean {
  return /\b(DIR|FILE)\b/.test(placeholderOf(flag));
}

/** What stands for a flag's value in its help: `NAME=DIR`. */
export function placeholderOf(flag: AnyFlag): string {
  return flag.type === 'option' ? String(flag.helpValue ?? '') : '';
}

/** `limit-bytes` as `limitBytes`. */
export function camel(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
