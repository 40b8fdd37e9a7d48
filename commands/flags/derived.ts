import { Flags, type Interfaces } from '@oclif/core';
import type * as z from 'zod';
import { fromTexts, type Parameter, parametersOf } from '../../src/surface/parameters.js';

type AnyFlag =
  | Interfaces.OptionFlag<string | undefined>
  | Interfaces.BooleanFlag<boolean | string | undefined>;

/** The flags of a schema: each parameter in kebab case, booleans with a `--no-` form. */
export function flagsOf(
  schema: z.ZodObject,
  group: string,
  chars: Readonly<Record<string, string>> = {},
): Record<string, AnyFlag> {
  return Object.fromEntries(
    parametersOf(schema).map((parameter) => [
      kebab(parameter.name),
      flag(parameter, group, chars[parameter.name]),
    ]),
  );
}

/** What was given of a schema's flags, as the schema wants it. */
export function givenTo(
  schema: z.ZodObject,
  flags: Readonly<Record<string, unknown>>,
  field: string,
): Record<string, unknown> {
  const texts: Record<string, string> = {};
  for (const { name } of parametersOf(schema)) {
    const value = flags[kebab(name)];
    if (value !== undefined) texts[name] = String(value);
  }
  return fromTexts(schema, texts, field);
}

/** `keepProfile` as `keep-profile`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function flag(parameter: Parameter, group: string, char: string | undefined): AnyFlag {
  const { kind, choices, closed, description } = parameter;
  const described =
    parameter.default === undefined || kind === 'boolean'
      ? description
      : `${description} [default: ${parameter.default}]`;
  const shown = {
    description: described,
    helpGroup: group,
    ...(char !== undefined && { char: char as 'q' }),
  };
  if (kind === 'boolean') return Flags.boolean({ ...shown, allowNo: true });
  if (closed) return Flags.string({ ...shown, options: [...choices] });
  return Flags.string({ ...shown, helpValue: [...choices, kind === 'number' ? 'N' : 'TEXT'].join('|') });
}
