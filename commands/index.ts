import type { Command } from '@oclif/core';
import { OPERATIONS } from '../src/operations/index.js';
import { FormatsCommand } from './formats.js';
import { operationCommand } from './operation.js';
import { RunCommand } from './run.js';
import { SizeCommand } from './size.js';

/** Every command by name: those of the registry, and the rest. */
export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  ...Object.fromEntries(
    OPERATIONS.map((operation) => [operation.name, operationCommand(operation) as unknown as Command.Class]),
  ),
  size: SizeCommand,
  run: RunCommand,
  formats: FormatsCommand,
};
