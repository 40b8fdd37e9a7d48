import { OPERATIONS } from '../src/operations/index.js';
import { ClientCommand } from './client.js';
import type { CommandClass } from './command.js';
import { CompletionCommand } from './completion.js';
import { ConfigShowCommand } from './config-show.js';
import { FormatsCommand } from './formats.js';
import { operationCommand } from './operation.js';
import { RunCommand } from './run.js';
import { ServeCommand } from './serve.js';
import { SizeCommand } from './size.js';
import { WatchCommand } from './watch.js';

/** Every command by name: those of the registry, and the rest. */
export const COMMANDS: Readonly<Record<string, CommandClass>> = {
  ...Object.fromEntries(
    OPERATIONS.map((operation, place) => [operation.name, operationCommand(operation, place)]),
  ),
  size: SizeCommand,
  run: RunCommand,
  watch: WatchCommand,
  formats: FormatsCommand,
  serve: ServeCommand,
  client: ClientCommand,
  completion: CompletionCommand,
  'config:show': ConfigShowCommand,
};
