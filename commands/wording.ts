import { ImgtoolError } from '../src/errors.js';
import { OPERATIONS } from '../src/operations/index.js';
import type { Operation } from '../src/operations/operation.js';
import { kebab } from './flags/derived.js';
import { shellWord } from './shell-word.js';

/** What a recipe's error is about: a step and its parameter, or a flag. */
interface Place {
  readonly step?: number;
  readonly parameter?: string;
}

/** An error of the recipe that an operation's flags made, told with those flags, and with an example that runs. */
export function inFlags(
  thrown: unknown,
  operation: Operation,
  { thumb, inputs }: { thumb: boolean; inputs: readonly string[] },
): unknown {
  if (!isRecipeError(thrown)) return thrown;
  const { step, parameter } = placeOf(thrown.field, operation.name);
  if (thumb && step !== undefined) return retold(thrown, '--thumb');
  if (parameter !== undefined) return retold(thrown, `--${kebab(parameter)}`);
  if (step === undefined) return thrown;
  return retold(thrown, undefined, `; for example: ${exampleOf(operation, inputs)}`);
}

/** An error of a recipe written as `--op` steps, told with the step as it was written. */
export function inSteps(thrown: unknown, steps: readonly string[]): unknown {
  if (!isRecipeError(thrown)) return thrown;
  const { step, parameter } = placeOf(thrown.field);
  const text = step === undefined ? undefined : steps[step];
  if (text !== undefined && step !== undefined)
    return retold(
      thrown,
      `--op ${shellWord(text)}`,
      parameter === undefined ? stepHint(text) : '',
      parameter,
    );
  return parameter === undefined ? thrown : retold(thrown, `--${kebab(parameter)}`);
}

/** An example of a step that was written without what it needs. */
function stepHint(text: string): string {
  const operation = OPERATIONS.find(({ name }) => name === text);
  const params = Object.entries(operation?.examples[0] ?? {}).map(([name, value]) => `${name}=${value}`);
  return params.length === 0 ? '' : `; for example: --op ${shellWord(`${text}:${params.join(',')}`)}`;
}

/** The command with its first example's flags, over the inputs that were given. */
function exampleOf(operation: Operation, inputs: readonly string[]): string {
  const given = inputs.length > 0 && inputs.length <= 3 ? inputs : ['./images'];
  const flags = Object.entries(operation.examples[0] ?? {}).map(flagText);
  return ['imgtool', operation.name, ...given.map(shellWord), ...flags].join(' ');
}

/** A parameter as the flag that is typed for it. */
export function flagText([name, value]: [string, unknown]): string {
  if (value === true) return `--${kebab(name)}`;
  const text = String(value);
  return `--${kebab(name)}${text.startsWith('-') ? '=' : ' '}${shellWord(text)}`;
}

function isRecipeError(thrown: unknown): thrown is ImgtoolError {
  return thrown instanceof ImgtoolError && thrown.code === 'E_RECIPE';
}

/** Reads `steps.0.width`, `resize.width`, `outputs.0.quality`, `output.quality` and `frames`. */
function placeOf(field: string | undefined, operation?: string): Place {
  const [head, ...rest] = (field ?? '').split('.');
  if (head === 'steps')
    return { step: Number(rest[0]), ...(rest[1] !== undefined && { parameter: rest[1] }) };
  if (head !== undefined && head === operation) return { step: 0, ...(rest[0] && { parameter: rest[0] }) };
  const parameter =
    head === 'outputs' ? rest[1] : head === 'output' ? rest[0] : rest.length === 0 ? head : undefined;
  // several results of one size each are asked for together
  return parameter ? { parameter: parameter === 'within' ? 'sizes' : parameter } : {};
}

function retold(error: ImgtoolError, field: string | undefined, hint = '', parameter?: string): ImgtoolError {
  const { code, stage, file, cause } = error;
  return new ImgtoolError(code, (parameter === undefined ? '' : `${parameter}: `) + error.message + hint, {
    ...(stage && { stage }),
    ...(file !== undefined && { file }),
    ...(field !== undefined && { field }),
    cause,
  });
}
