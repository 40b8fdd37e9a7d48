import type * as z from 'zod';
import { expected, ImgtoolError } from '../errors.js';
import { nearest } from '../operations/nearest.js';

/** One parameter of an operation or an output, as every surface shows it. */
export interface Parameter {
  readonly name: string;
  /** What a text for it is read as; `text` stays as it is. */
  readonly kind: 'number' | 'boolean' | 'choice' | 'text';
  /** The values it names. */
  readonly choices: readonly string[];
  /** Whether it takes nothing but its choices. */
  readonly closed: boolean;
  readonly default: unknown;
  readonly description: string;
}

/** The parameters that a schema takes, in its order. */
export function parametersOf(schema: z.ZodObject): readonly Parameter[] {
  return Object.entries(schema.shape).map(([name, field]) => parameter(name, field as z.core.$ZodType));
}

/**
 * Values written as text (flags, query strings, `k=v` steps) as the schema wants them. Unknown names and texts that
 * are no number or boolean where one is wanted throw E_RECIPE naming the parameter.
 */
export function fromTexts(
  schema: z.ZodObject,
  texts: Readonly<Record<string, string>>,
  field: string,
): Record<string, unknown> {
  const known = parametersOf(schema);
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, fromText(known, name, text, field)]),
  );
}

function fromText(known: readonly Parameter[], name: string, text: string, field: string): unknown {
  const found = known.find((candidate) => candidate.name === name);
  if (found !== undefined) return typed(found, text, `${field}.${name}`);
  const names = known.map((candidate) => candidate.name);
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new ImgtoolError('E_RECIPE', `${expected(`one of ${names.join(', ')}`, name)}${hint}`, {
    stage: 'plan',
    field: `${field}.${name}`,
  });
}

function typed({ kind }: Parameter, text: string, field: string): unknown {
  if (kind === 'boolean') return toBoolean(text, field);
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (kind !== 'number') return text;
  // what is no number stays text: the schema may take texts too (50%, 200x150), and says so when it does not
  return Number.isNaN(number) ? text : number;
}

function toBoolean(text: string, field: string): boolean {
  if (['', 'true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return false;
  throw new ImgtoolError('E_RECIPE', expected('true or false', text), { stage: 'plan', field });
}

function parameter(name: string, field: z.core.$ZodType): Parameter {
  const description = (field as z.ZodType).description ?? '';
  const { inner, fallback } = unwrapped(field);
  return {
    name,
    default: fallback,
    description: description || ((inner as z.ZodType).description ?? ''),
    ...kindOf(inner),
  };
}

function unwrapped(field: z.core.$ZodType): { inner: z.core.$ZodType; fallback: unknown } {
  let inner = field;
  let fallback: unknown;
  for (;;) {
    const def = inner._zod.def as z.core.$ZodTypeDef & {
      innerType?: z.core.$ZodType;
      defaultValue?: unknown;
    };
    if (def.type === 'default') fallback = def.defaultValue;
    if ((def.type !== 'default' && def.type !== 'optional') || def.innerType === undefined)
      return { inner, fallback };
    inner = def.innerType;
  }
}

type Kind = Pick<Parameter, 'kind' | 'choices' | 'closed'>;

function kindOf(schema: z.core.$ZodType): Kind {
  const def = schema._zod.def as z.core.$ZodTypeDef & {
    entries?: Record<string, string>;
    options?: z.core.$ZodType[];
    values?: unknown[];
  };
  if (def.type === 'enum') return { kind: 'choice', choices: Object.values(def.entries ?? {}), closed: true };
  if (def.type === 'literal') return literal(def.values ?? []);
  if (def.type === 'union') return union((def.options ?? []).map(kindOf));
  const kind = def.type === 'boolean' || def.type === 'number' ? def.type : 'text';
  return { kind, choices: [], closed: false };
}

function literal(values: readonly unknown[]): Kind {
  const kind = values.every((value) => typeof value === 'number') ? 'number' : 'text';
  return { kind, choices: values.map(String), closed: true };
}

function union(members: readonly Kind[]): Kind {
  return {
    kind: members.some(({ kind }) => kind === 'number') ? 'number' : 'text',
    choices: members.flatMap(({ choices }) => choices),
    closed: members.every(({ closed }) => closed),
  };
}
